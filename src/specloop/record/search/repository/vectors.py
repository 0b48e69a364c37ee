"""Keeps the vectors of exchanges and reads those of one caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects import postgresql, sqlite

from specloop.db.context import Context
from specloop.record.search.embedding import DIMENSIONS, Vectors
from specloop.record.search.keys import ORDER_BITS, Keys
from specloop.record.search.tables import ExchangeVectorRow, SearchedSessionRow
from specloop.record.sessions.tables import ExchangeRow

STORED = np.dtype("<f2")


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


async def of_caller(ctx: Context) -> tuple[Keys, NDArray[np.float16]]:
    """The vectors of all pieces of the caller's exchanges, as they are stored, and the key of each."""
    query = (
        select(ExchangeVectorRow.row_key, ExchangeVectorRow.vector)
        .join(SearchedSessionRow, SearchedSessionRow.session_id == ExchangeVectorRow.session_id)
        .where(*_mine(ctx))
    )
    rows = (await ctx.session.execute(query)).all()
    if not rows:
        return np.empty(0, np.int64), np.zeros((0, DIMENSIONS), STORED)
    counts = [len(row[1]) // (DIMENSIONS * STORED.itemsize) for row in rows]
    keys = np.repeat(np.array([row[0] for row in rows], np.int64), counts)
    return keys, np.frombuffer(b"".join(row[1] for row in rows), STORED).reshape(-1, DIMENSIONS)


def _mine(ctx: Context) -> tuple[ColumnElement[bool], ...]:
    table = SearchedSessionRow
    return (table.workspace_id == ctx.workspace_id, table.owner_id == (ctx.principal.user_id or ""))
