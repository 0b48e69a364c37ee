"""Brings the stored exchanges of a session to what an upload says, touching only those that differ.

A session that is being recorded is uploaded again and again, each time a little longer; titles and hidden flags that
its owner gave must survive that (specstory.md §7.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from specloop.db.batches import Write
from specloop.db.context import Context
from specloop.kit.ids import new_id
from specloop.record.sessions.model import StoredExchange
from specloop.record.sessions.preparation import DerivedExchange
from specloop.record.sessions.tables import EXCHANGES

_COMPARED = ("order_number", "key", "started_at", "ended_at", "has_error", "text_sha256")
_CHANGED = (*_COMPARED, "text_length", "body", "updated_at")
_ROW = EXCHANGES.c.id == bindparam("row_id")
_ADD, _REMOVE = insert(EXCHANGES), delete(EXCHANGES).where(_ROW)
_CHANGE = update(EXCHANGES).where(_ROW).values({name: bindparam(name) for name in _CHANGED})


@dataclass(frozen=True, slots=True)
class Replaced:
    """All exchanges as they will be, the ids of those that go, and the writes that make it so."""

    stored: Sequence[StoredExchange]
    removed_ids: Sequence[str]
    writes: Sequence[Write]


async def replace(ctx: Context, session_id: str, exchanges: Sequence[DerivedExchange], *, is_new: bool) -> Replaced:
    """What storing `exchanges` in place of what is there takes; nothing is written yet."""
    known = [] if is_new else await _known(ctx, session_id)
    stored: list[StoredExchange] = []
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for number, (one, old) in enumerate(zip(exchanges, _pairs(exchanges, known), strict=True)):
        values = _values(one, number)
        if old is None:
            added.append({**values, **_born(ctx, session_id)})
        elif any(old[name] != values[name] for name in _COMPARED):
            changed.append({**values, "row_id": old["id"], "updated_at": ctx.clock.now()})
        row_id = added[-1]["id"] if old is None else old["id"]
        is_changed = old is None or old["text_sha256"] != one.sha256
        stored.append(StoredExchange(row_id, number, one.text, one.has_error, is_changed))
    kept = {one.id for one in stored}
    removed = [old["id"] for old in known if old["id"] not in kept]
    gone = [{"row_id": row_id} for row_id in removed]
    return Replaced(stored, removed, [(_REMOVE, gone), (_CHANGE, changed), (_ADD, added)])


async def _known(ctx: Context, session_id: str) -> list[Mapping[str, Any]]:
    columns = [EXCHANGES.c.id, *(EXCHANGES.c[name] for name in _COMPARED)]
    query = select(*columns).where(EXCHANGES.c.session_id == session_id).order_by(EXCHANGES.c.order_number)
    return [dict(row) for row in (await ctx.session.execute(query)).mappings()]


def _pairs(
    exchanges: Sequence[DerivedExchange], known: Sequence[Mapping[str, Any]]
) -> Iterator[Mapping[str, Any] | None]:
    """For each exchange the stored one that it continues: that of the same key, else of the same number."""
    by_key = {old["key"]: old for old in known if old["key"] is not None}
    named = {id(by_key[one.key]) for one in exchanges if one.key in by_key}
    by_number = {old["order_number"]: old for old in known if id(old) not in named}
    for number, one in enumerate(exchanges):
        found = by_key.pop(one.key, None) if one.key is not None else None
        yield found if found is not None else by_number.pop(number, None)


def _values(one: DerivedExchange, number: int) -> dict[str, Any]:
    return {
        "order_number": number,
        "key": one.key,
        "started_at": one.started_at,
        "ended_at": one.ended_at,
        "has_error": one.has_error,
        "text_length": len(one.text),
        "text_sha256": one.sha256,
        "body": one.body,
    }


def _born(ctx: Context, session_id: str) -> dict[str, Any]:
    now = ctx.clock.now()
    return {
        "id": new_id(),
        "account_id": ctx.principal.account_id,
        "workspace_id": ctx.workspace_id,
        "session_id": session_id,
        "user_title": None,
        "hidden_from_share": False,
        "created_at": now,
        "updated_at": now,
    }


async def edit(ctx: Context, session_id: str, exchange_id: str, values: Mapping[str, Any]) -> bool:
    """Set columns of one exchange; False when the session has no such exchange."""
    statement = update(EXCHANGES).where(EXCHANGES.c.session_id == session_id, EXCHANGES.c.id == exchange_id)
    result = await ctx.session.execute(statement.values(dict(values)).returning(EXCHANGES.c.id))
    return result.first() is not None
