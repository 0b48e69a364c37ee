"""The server's side of the command palette: known pages and actions, and a search for objects by name."""

from __future__ import annotations

from starlette.responses import Response

from specloop.app.web.choices import agent_choices
from specloop.app.web.frame import FrameHere, Proposed, page_router
from specloop.app.web.recorded.finding import project_hits, session_hits
from specloop.app.web.recorded.listing import Search
from specloop.app.web.recorded.reader import Projects
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.improve.changesets.repository import Wanted
from specloop.kit.ids import parse_uuid
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx

router = page_router()
HITS_MAX = 8


@router.get("/app/palette")
@requires(users_only=True)
async def show_account_entries(ctx: Ctx, frame: FrameHere) -> Response:
    """Outside of a workspace: pages only."""
    return frame.part("palette_entries")


@router.get("/app/w/{workspace_id}/palette")
@requires("read:workspace")
async def search(
    ctx: Ctx, frame: FrameHere, proposals: Proposed, sessions: Search, projects: Projects, workspace_id: str
) -> Response:
    """Without `q` what is always there; with it agents, change sets and projects by name, sessions by what was said."""
    text = frame.request.query_params.get("q", "").strip()[:200].lower()
    if not text:
        return frame.part("palette_entries")
    base = frame.shell.base
    hits = [
        {"href": f"{base}/agents/{agent_id}", "icon": "agent", "text": name, "kind": "Agent"}
        for agent_id, name in await agent_choices(ctx)
        if text in name.lower() or text == agent_id
    ]
    found = await proposals.list(ctx, Wanted(), PageRequest(limit=LIMIT_MAX))
    hits += [
        {"href": f"{base}/changesets/{one.id}", "icon": "change", "text": one.title, "kind": "Change set"}
        for one in found.results
        if text in one.title.lower() or text == one.id
    ]
    if len(text) == 32 and parse_uuid(text) is None and all(letter in "0123456789abcdef" for letter in text):
        hits.append({"href": f"{base}/traces/{text}", "icon": "trace", "text": text, "kind": "Trace"})
    hits = hits[:HITS_MAX]
    hits += await project_hits(ctx, frame, projects, text)
    hits += await session_hits(ctx, frame, sessions, text)
    return frame.part("search", hits=hits)
