"""What its owner may change of a recorded session: titles, who may see it, which exchanges visitors see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.kit.ids import parse_uuid
from specloop.record.sessions.errors import BadSessionField, ExchangeNotFound, SessionNotFound
from specloop.record.sessions.model import TITLE_LENGTH_MAX, Session, ShareStatus
from specloop.record.sessions.repository import exchanges, reading, writing
from specloop.record.sessions.service.tags import make_etag
from specloop.record.sessions.uploading import plain


@dataclass(frozen=True, slots=True)
class SessionChange:
    """What to change of a session; None leaves it."""

    user_title: str | None = None
    share_status: ShareStatus | None = None


@dataclass(frozen=True, slots=True)
class ExchangeChange:
    """What to change of an exchange; None leaves it."""

    user_title: str | None = None
    is_hidden: bool | None = None


class SessionEditor:
    """Edits survive every later upload."""

    async def change(self, ctx: Context, session: Session, change: SessionChange) -> Session:
        """Set the title or the visibility.

        Raises: BadSessionField, SessionNotFound.
        """
        values: dict[str, Any] = {}
        if change.user_title is not None:
            values["user_title"] = _title(change.user_title)
        if change.share_status is not None:
            values["share_status"] = change.share_status.value
        if not values:
            raise BadSessionField("At least one of userTitle or shareStatus must be provided")
        return await _touch(ctx, session.id, values)

    async def change_exchange(
        self, ctx: Context, session: Session, exchange_id: str, change: ExchangeChange
    ) -> Session:
        """Set an exchange's title, hide it from visitors or show it again.

        Raises: BadSessionField, ExchangeNotFound, SessionNotFound.
        """
        values: dict[str, Any] = {}
        if change.user_title is not None:
            values["user_title"] = _title(change.user_title)
        if change.is_hidden is not None:
            values["hidden_from_share"] = change.is_hidden
        if not values:
            raise BadSessionField("At least one of userTitle or hiddenFromShare must be provided")
        touched = await _touch(
            ctx, session.id, {}
        )  # first the session, as uploads do, so that nobody waits in a circle
        row_id = parse_uuid(exchange_id)
        now = ctx.clock.now()
        if row_id is None or not await exchanges.edit(ctx, session.id, row_id, {**values, "updated_at": now}):
            raise ExchangeNotFound
        return touched


def _title(text: str) -> str:
    title = plain(text).strip()
    if not 0 < len(title) <= TITLE_LENGTH_MAX:
        raise BadSessionField(f"Invalid value for userTitle. Must have 1 to {TITLE_LENGTH_MAX} characters")
    return title


async def _touch(ctx: Context, row_id: str, values: dict[str, Any]) -> Session:
    """Set `values` and give the session a new tag."""
    row = await writing.lock(ctx, row_id)
    if row is None:
        raise SessionNotFound
    if "share_status" in values:
        values = {**values, "shared_at": _shared_at(ctx, row, values["share_status"])}
    revision = row["revision"] + 1
    etag = make_etag(row_id, row["markdown_size"], row["content_digest"], revision)
    await writing.change(ctx, row_id, {**values, "revision": revision, "etag": etag, "updated_at": ctx.clock.now()})
    return (await reading.get_many(ctx, [row_id]))[row_id]


def _shared_at(ctx: Context, row: Mapping[str, Any], status: str) -> datetime | None:
    """Since when the session is shared: whoever shares an id first keeps its link, however often it is shared again."""
    if status == ShareStatus.PRIVATE.value:
        return None
    return row["shared_at"] or ctx.clock.now()
