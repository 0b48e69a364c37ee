"""What the owner changes of a session over HTTP: titles, sharing, which exchanges visitors see (specstory.md §1.4)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from specloop.db.context import Context
from specloop.record.sessions.errors import BadSessionField
from specloop.record.sessions.model import Session, ShareStatus
from specloop.record.sessions.rest.answers import Reader, ThisSession, enveloped
from specloop.record.sessions.rest.conditional import cache_headers, version_of
from specloop.record.sessions.schema import Envelope, ExchangePatch, OneSession, SessionPatch, session_body
from specloop.record.sessions.service.editing import ExchangeChange, SessionChange, SessionEditor
from specloop.record.sessions.service.reading import SessionReader
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import record_router, writes

router = record_router("/api/v1/projects/{project}/sessions/{session}")
Editor = Annotated[SessionEditor, Depends(provided(SessionEditor))]


@router.patch("", response_model=Envelope[OneSession])
@writes()
async def change_session(
    ctx: Ctx, session: ThisSession, patch: SessionPatch, editor: Editor, reader: Reader
) -> Response:
    """Give a session a title of its own, or share it by link (`unlisted`), or stop that (`private`)."""
    change = SessionChange(patch.user_title, _share_status(patch.share_status))
    return await _changed(ctx, reader, await editor.change(ctx, session, change))


@router.patch("/exchanges/{exchange}", response_model=Envelope[OneSession])
@writes()
async def change_exchange(
    ctx: Ctx, session: ThisSession, exchange: str, patch: ExchangePatch, editor: Editor, reader: Reader
) -> Response:
    """Give an exchange a title, hide it from those who know the link, or show it again."""
    change = ExchangeChange(patch.user_title, patch.hidden_from_share)
    return await _changed(ctx, reader, await editor.change_exchange(ctx, session, exchange, change))


async def _changed(ctx: Context, reader: SessionReader, session: Session) -> Response:
    version = await version_of(ctx, reader, session)
    return enveloped({"session": session_body(session)}, headers=cache_headers(version))


def _share_status(text: str | None) -> ShareStatus | None:
    if text is None:
        return None
    try:
        return ShareStatus(text)
    except ValueError as error:
        choices = ", ".join(ShareStatus)
        raise BadSessionField(f"Invalid value for shareStatus. Must be one of: {choices}") from error
