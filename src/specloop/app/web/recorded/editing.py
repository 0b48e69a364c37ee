"""What the owner of a session does on its page: rename it, share it, hide or rename an exchange, delete it."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, refused
from specloop.app.web.recorded.places import SESSION, acts, places_of
from specloop.app.web.recorded.reader import SessionHere
from specloop.app.web.recorded.words import whole
from specloop.db.context import Context
from specloop.errors import SpecloopError
from specloop.record.sessions import (
    ExchangeChange,
    Session,
    SessionChange,
    SessionEditor,
    SessionRemoval,
    ShareStatus,
)
from specloop.transport.routing import Ctx, provided

router = page_router()
Editor = Annotated[SessionEditor, Depends(provided(SessionEditor))]
Removal = Annotated[SessionRemoval, Depends(provided(SessionRemoval))]
TYPED = "delete"


@acts(router, SESSION + "/title")
async def rename_session(ctx: Ctx, frame: FrameHere, editor: Editor, session: SessionHere, posted: Posted) -> Response:
    """Gives the session a title of its owner's."""
    change = SessionChange(user_title=posted.get("title", ""))
    return await _done(ctx, frame, session, editor.change(ctx, session, change), posted, "Renamed.")


@acts(router, SESSION + "/share")
async def share_session(ctx: Ctx, frame: FrameHere, editor: Editor, session: SessionHere, posted: Posted) -> Response:
    """Opens the session to everybody who knows its link, or closes it."""
    is_shared = posted.get("status") == ShareStatus.UNLISTED.value
    change = SessionChange(share_status=ShareStatus.UNLISTED if is_shared else ShareStatus.PRIVATE)
    told = "Shared: whoever has the link can read it." if is_shared else "Private again: the link is dead."
    return await _done(ctx, frame, session, editor.change(ctx, session, change), posted, told)


@acts(router, SESSION + "/exchanges/{exchange_id}")
async def change_exchange(
    ctx: Ctx, frame: FrameHere, editor: Editor, session: SessionHere, exchange_id: str, posted: Posted
) -> Response:
    """Sets an exchange's title and whether viewers see it."""
    change = ExchangeChange(user_title=posted.get("title", "").strip() or None, is_hidden="is_hidden" in posted)
    number = whole(posted.get("number", ""))
    anchor = f"?from={number}#e{number}" if number else ""
    act = editor.change_exchange(ctx, session, exchange_id, change)
    return await _done(ctx, frame, session, act, posted, "Exchange saved.", anchor)


@acts(router, SESSION + "/delete")
async def delete_session(
    ctx: Ctx, frame: FrameHere, removal: Removal, session: SessionHere, posted: Posted
) -> Response:
    """Deletes the session for all machines, once its owner has typed so."""
    places = places_of(frame)
    if posted.get("confirm", "").strip().lower() != TYPED:
        return frame.go(places.session(session), f"Not deleted: type {TYPED} to confirm.", is_bad=True)
    await removal.delete(ctx, session)
    return frame.go(f"/app/w/{ctx.workspace_id}/sessions", "Session deleted.")


async def _done(
    ctx: Context, frame: Frame, session: Session, act: Awaitable[object], posted: Posted, told: str, anchor: str = ""
) -> Response:
    """Back to the session, with what was done or why it was not."""
    here = places_of(frame).session(session)
    try:
        await act
    except SpecloopError as error:
        await refused(ctx, error, posted)
        return frame.go(here + anchor, error.detail, is_bad=True)
    return frame.go(here + anchor, told)
