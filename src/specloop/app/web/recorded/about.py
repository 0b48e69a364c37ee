"""Pages that clients of SpecStory open by themselves: what resuming and skills are here (ARCHITECTURE §4a)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import FrameHere, page_router
from specloop.app.web.recorded.places import places_of
from specloop.app.web.recorded.reader import Reader
from specloop.app.web.recorded.titles import title_of
from specloop.app.web.recorded.words import plain
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx

router = page_router()
SHOWN = 10


@router.get("/resume")
@requires("read:workspace", users_only=True, default_workspace=True)
async def show_resume(ctx: Ctx, frame: FrameHere, reader: Reader, request: Request) -> Response:
    """Which sessions another agent could take up, and how."""
    places = places_of(frame)
    found = await reader.resumable(ctx)
    server = str(request.base_url).rstrip("/")
    rows = [
        {
            "session": one,
            "title": title_of(one),
            "href": places.session(one),
            "project_name": plain(one.project.name),
            "command": f"specstory resume --session {one.client_id}",
        }
        for one in found[:SHOWN]
    ]
    return frame.page("resume", sessions=rows, count=len(found), server=server)


@router.get("/skills")
@requires("read:workspace", users_only=True, default_workspace=True)
async def show_skills(ctx: Ctx, frame: FrameHere) -> Response:
    """What skills are in SpecStory's products, and what stands in their place here."""
    return frame.page("skills")
