"""Shared sessions for everybody who knows the link, and the same page as a preview for the owner.

A viewer sees the visible exchanges, who recorded them and in which project; no raw data, no ids of rows, nothing that
is hidden (specstory.md §1.7). What is private does not exist for viewers.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Lobby, PartFrame, page_router
from specloop.app.web.recorded import conversation
from specloop.app.web.recorded.places import SESSION, places_of, shows
from specloop.app.web.recorded.reader import Reading, SessionHere, full_item, place_of, pulse, read
from specloop.app.web.recorded.titles import title_of
from specloop.app.web.recorded.words import plain
from specloop.db.context import Context
from specloop.errors import NotFound
from specloop.identity import accounts
from specloop.record.sessions import SharedSession, SharedSessions
from specloop.record.sessions.service.uploads import off_loop
from specloop.record.sessions.transcript import Transcript
from specloop.transport.guard import public
from specloop.transport.routing import Ctx, provided

router = page_router()
Shared = Annotated[SharedSessions, Depends(provided(SharedSessions))]
SHARE = "/share/{share}"


@router.get(SHARE)
@public()
async def show_shared(ctx: Ctx, frame: Lobby, shared: Shared, share: str) -> Response:
    """The session as viewers see it."""
    found = await shared.find(ctx, share)
    values = await _values(ctx, frame.request, shared, found, f"/share/{share}")
    return _unlisted(frame.page("shared", **values, back_href=""))


@router.get(SHARE + "/piece")
@public()
async def show_shared_piece(ctx: Ctx, frame: Lobby, shared: Shared, share: str) -> Response:
    """One piece alone."""
    found = await shared.find(ctx, share)
    return _piece(frame, await _values(ctx, frame.request, shared, found, f"/share/{share}"))


@router.get(SHARE + "/items/{place}")
@public()
async def show_shared_item(ctx: Ctx, frame: Lobby, shared: Shared, share: str, place: str) -> Response:
    """One text or call in full."""
    found = await shared.find(ctx, share)
    return await _item(ctx, frame, shared, found, f"/share/{share}", place)


@router.get(SHARE + "/pulse")
@public()
async def feel_shared_pulse(ctx: Ctx, request: Request, shared: Shared, share: str) -> Response:
    """304 until the session changes."""
    return pulse(request, (await shared.find(ctx, share)).session.etag)


@shows(router, SESSION + "/preview")
async def preview(ctx: Ctx, frame: FrameHere, shared: Shared, session: SessionHere) -> Response:
    """What viewers would see, for the owner alone."""
    places = places_of(frame)
    here = places.session(session)
    found = await shared.as_shared(ctx, session)
    values = await _values(ctx, frame.request, shared, found, f"{here}/preview")
    lobby = replace(frame, shell=replace(frame.shell, workspace=None))
    return _unlisted(lobby.page("shared", **{**values, "is_live": False}, back_href=here))


@shows(router, SESSION + "/preview/piece")
async def preview_piece(ctx: Ctx, frame: PartFrame, shared: Shared, session: SessionHere) -> Response:
    """One piece of the preview."""
    here = places_of(frame).session(session)
    found = await shared.as_shared(ctx, session)
    return _piece(frame, await _values(ctx, frame.request, shared, found, f"{here}/preview"))


@shows(router, SESSION + "/preview/items/{place}")
async def preview_item(ctx: Ctx, frame: PartFrame, shared: Shared, session: SessionHere, place: str) -> Response:
    """One text or call of the preview in full."""
    here = places_of(frame).session(session)
    return await _item(ctx, frame, shared, await shared.as_shared(ctx, session), f"{here}/preview", place)


async def _values(
    ctx: Context, request: Request, shared: SharedSessions, found: SharedSession, here: str
) -> dict[str, Any]:
    transcript = await shared.transcript(ctx, found)
    reading = await _read(found, transcript, place_of(request))
    session = found.session
    author = await accounts.find_user(ctx, session.owner_id)
    return {
        "session": session,
        "title": title_of(session),
        "author": plain(author.name or "") if author else "",
        "project_name": plain(session.project.name),
        "here": here,
        "headings": reading.headings[: conversation.OUTLINE_MAX],
        "heading_count": len(reading.headings),
        "chunk": reading.chunk,
        "texts": []
        if reading.chunk
        else [conversation.to_html(one.text[: conversation.TEXT_MAX]) for one in found.exchanges],
        "is_live": True,
        "is_owner": False,
        "files": [],
        "file_count": 0,
    }


async def _read(found: SharedSession, transcript: Transcript | None, start: conversation.Place) -> Reading:
    """The piece at `start`; nothing when no exchange is visible, or it is not certain which are."""
    if transcript is None or not transcript.exchanges:
        return Reading(found.session, None, (), None)
    return await off_loop(found.session.markdown_size, lambda: read(found.session, transcript, found.exchanges, start))


def _piece(frame: Frame, values: dict[str, Any]) -> Response:
    if values["chunk"] is None:
        raise NotFound
    return _unlisted(frame.part("piece", **values, is_fresh=False))


async def _item(
    ctx: Context, frame: Frame, shared: SharedSessions, found: SharedSession, here: str, place: str
) -> Response:
    view = await full_item(found.session, await shared.transcript(ctx, found), place)
    if "hx-request" in frame.request.headers:
        return _unlisted(frame.part("item_body", item=view))
    return _unlisted(frame.page("shared_item", item=view, here=here, title=title_of(found.session)))


def _unlisted(response: Response) -> Response:
    """For those who have the link, not for search engines."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response
