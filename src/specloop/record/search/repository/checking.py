"""What the index should hold, read from the exchanges themselves; for checks and rebuilding over all workspaces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import delete, exists, func, insert, literal, select, update

from specloop.db.context import Context
from specloop.record.search.keys import ORDER_BITS, Keys, to_keys
from specloop.record.search.tables import SearchedSessionRow
from specloop.record.search.words import RULES
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow, SessionRow

Numbered = tuple[int, str]


async def expected_keys(ctx: Context) -> Keys:
    """The sorted keys of every exchange of a numbered session."""
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    chosen = select(key.label("row_key")).join(
        SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id
    )
    inner = chosen.subquery()
    if ctx.uow.engine_name == "sqlite":
        return np.sort(to_keys(await ctx.session.scalar(select(func.group_concat(inner.c.row_key)))))
    return np.sort(np.array(await ctx.session.scalar(select(func.array_agg(inner.c.row_key))) or [], np.int64))


async def number_the_rest(ctx: Context) -> int:
    """Give every session a number that has none; how many there were."""
    known = exists().where(SearchedSessionRow.session_id == SessionRow.id)
    columns = ["session_id", "account_id", "workspace_id", "owner_id", "active_at", "rules"]
    rest = select(
        SessionRow.id,
        SessionRow.account_id,
        SessionRow.workspace_id,
        SessionRow.owner_id,
        SessionRow.active_at,
        literal(RULES),
    ).where(~known)
    missing = await ctx.session.scalar(select(func.count()).select_from(rest.subquery())) or 0
    await ctx.session.execute(insert(SearchedSessionRow).from_select(columns, rest))
    return missing


async def unnumbered(ctx: Context) -> int:
    """How many sessions have no number, and so cannot be found."""
    known = exists().where(SearchedSessionRow.session_id == SessionRow.id)
    return await ctx.session.scalar(select(func.count()).select_from(SessionRow).where(~known)) or 0


async def forget_the_gone(ctx: Context) -> None:
    """Take numbers of sessions back that no longer exist."""
    gone = ~exists().where(SessionRow.id == SearchedSessionRow.session_id)
    await ctx.session.execute(delete(SearchedSessionRow).where(gone).execution_options(synchronize_session=False))


async def other_rules(ctx: Context) -> int:
    """How many sessions were cut by other rules than the present ones."""
    query = select(func.count()).select_from(SearchedSessionRow).where(SearchedSessionRow.rules != RULES)
    return await ctx.session.scalar(query) or 0


async def mark_rules(ctx: Context) -> None:
    """Every session is now cut by the present rules."""
    statement = update(SearchedSessionRow).values(rules=RULES).execution_options(synchronize_session=False)
    await ctx.session.execute(statement)


async def numbered(ctx: Context, *, after: int, limit: int) -> Sequence[Numbered]:
    """Numbers and ids in order of number, in portions."""
    query = select(SearchedSessionRow.number, SearchedSessionRow.session_id)
    query = query.where(SearchedSessionRow.number > after).order_by(SearchedSessionRow.number).limit(limit)
    return [(row[0], row[1]) for row in await ctx.session.execute(query)]


async def sampled_texts(ctx: Context, limit: int) -> list[tuple[int, str]]:
    """The keys and texts of some exchanges, spread over all of them."""
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    query = select(key, ExchangeRow.body).join(
        SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id
    )
    rows = await ctx.session.execute(query.order_by(func.substr(ExchangeRow.id, 30)).limit(limit))
    return [(row[0], unpack(row[1]).decode()) for row in rows]
