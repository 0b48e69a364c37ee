"""Keeps the vectors of exchanges and reads those of one caller."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from specloop.db.context import Context
from specloop.record.search.embedding import DIMENSIONS, Vectors
from specloop.record.search.keys import ORDER_BITS, Keys, row_key
from specloop.record.search.tables import ExchangeVectorRow, SearchedSessionRow
from specloop.record.sessions.tables import ExchangeRow

STORED = np.dtype("<f2")
PORTION: Final = 4_096
"""Exchanges that are held at once: at most 16 MB."""
SESSIONS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Unembedded:
    """An exchange whose vector is missing or of an older text; `body` is its packed text."""

    exchange_id: str
    session_id: str
    row_key: int
    text_sha256: str
    body: bytes


async def unembedded(ctx: Context, *, after: str, limit: int) -> list[Unembedded]:
    """The caller's exchanges that need a vector, in order of id."""
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    current = and_(
        ExchangeVectorRow.exchange_id == ExchangeRow.id,
        ExchangeVectorRow.text_sha256 == ExchangeRow.text_sha256,
        ExchangeVectorRow.row_key == key,
    )
    query = (
        select(ExchangeRow.id, ExchangeRow.session_id, key, ExchangeRow.text_sha256, ExchangeRow.body)
        .join(SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id)
        .outerjoin(ExchangeVectorRow, current)
        .where(*_mine(ctx), ExchangeVectorRow.exchange_id.is_(None), ExchangeRow.id > after)
        .order_by(ExchangeRow.id)
        .limit(limit)
    )
    return [Unembedded(*row) for row in await ctx.session.execute(query)]


async def put(ctx: Context, exchanges: Sequence[Unembedded], vectors: Sequence[Vectors]) -> None:
    """Store the vectors, a row of the array for each piece, of exchanges that still have the text they were made of."""
    query = select(ExchangeRow.id, ExchangeRow.text_sha256).where(
        ExchangeRow.id.in_([one.exchange_id for one in exchanges])
    )
    now = {row[0]: row[1] for row in await ctx.session.execute(query)}
    rows = [
        {
            "account_id": ctx.principal.account_id,
            "workspace_id": ctx.workspace_id,
            "exchange_id": one.exchange_id,
            "session_id": one.session_id,
            "row_key": one.row_key,
            "text_sha256": one.text_sha256,
            "vector": vector.astype(STORED).tobytes(),
        }
        for one, vector in zip(exchanges, vectors, strict=True)
        if now.get(one.exchange_id) == one.text_sha256
    ]
    if not rows:
        return
    make = sqlite.insert if ctx.uow.engine_name == "sqlite" else postgresql.insert
    statement = make(ExchangeVectorRow)
    new = {name: statement.excluded[name] for name in ("row_key", "text_sha256", "vector")}
    await ctx.session.execute(statement.on_conflict_do_update(index_elements=["exchange_id"], set_=new), rows)


async def move(ctx: Context, session_id: str, before: int, after: int) -> None:
    """Take the vectors of a session along to its new number; their text is the same."""
    table = ExchangeVectorRow
    moved = (
        update(table).where(table.session_id == session_id).values(row_key=table.row_key + row_key(after - before, 0))
    )
    await ctx.session.execute(moved.execution_options(synchronize_session=False))


async def of_caller(ctx: Context) -> AsyncGenerator[tuple[Keys, NDArray[np.float16]]]:
    """The vectors of all pieces of the caller's exchanges, as they are stored, and the key of each; in portions.

    Some sessions at a time, since in the order of all exchanges a portion would mean passing those of everybody else.
    """
    mine = select(SearchedSessionRow.session_id).where(*_mine(ctx))
    session_ids = (await ctx.session.scalars(mine.order_by(SearchedSessionRow.number))).all()
    for start in range(0, len(session_ids), SESSIONS_AT_ONCE):
        some = ExchangeVectorRow.session_id.in_(session_ids[start : start + SESSIONS_AT_ONCE])
        query = select(ExchangeVectorRow.exchange_id, ExchangeVectorRow.row_key, ExchangeVectorRow.vector).where(some)
        query = query.order_by(ExchangeVectorRow.exchange_id).limit(PORTION)
        after = ""
        while rows := (await ctx.session.execute(query.where(ExchangeVectorRow.exchange_id > after))).all():
            counts = [len(row[2]) // (DIMENSIONS * STORED.itemsize) for row in rows]
            keys = np.repeat(np.array([row[1] for row in rows], np.int64), counts)
            yield keys, np.frombuffer(b"".join(row[2] for row in rows), STORED).reshape(-1, DIMENSIONS)
            after = rows[-1][0]


def _mine(ctx: Context) -> tuple[ColumnElement[bool], ...]:
    table = SearchedSessionRow
    return (table.workspace_id == ctx.workspace_id, table.owner_id == (ctx.principal.user_id or ""))
