"""What the index should hold, read from the exchanges themselves; for checks and rebuilding over all workspaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ScalarSelect, delete, exists, func, insert, literal, select, update

from specloop.db.context import Context
from specloop.record.search.keys import ORDER_BITS, Keys, to_keys
from specloop.record.search.tables import SearchedSessionRow
from specloop.record.search.words import RULES
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.tables import ExchangeRow, SessionRow

NO_RULES: Final = ""


async def stored_keys(ctx: Context, indexed: ScalarSelect[Any]) -> tuple[Keys, Keys]:
    """The sorted keys of every exchange of a numbered session, and those that are `indexed`.

    Both by one statement: between two, an upload would look like a fault.
    """
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    chosen = select(key.label("row_key")).join(
        SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id
    )
    column = chosen.subquery().c.row_key
    joined = func.group_concat(column) if ctx.uow.engine_name == "sqlite" else func.array_agg(column)
    both = select(select(joined).scalar_subquery(), indexed)
    expected, held = (await ctx.session.execute(both)).one()
    return _sorted(expected), _sorted(held)


def _sorted(joined: str | list[int] | None) -> Keys:
    return np.sort(np.array(joined, np.int64) if isinstance(joined, list) else to_keys(joined))


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


async def unmark_rules(ctx: Context) -> int:
    """No session is cut by any rules, for the index is empty; how many sessions there are."""
    statement = update(SearchedSessionRow).values(rules=NO_RULES).execution_options(synchronize_session=False)
    await ctx.session.execute(statement)
    return await ctx.session.scalar(select(func.count()).select_from(SearchedSessionRow)) or 0


async def mark_rules(ctx: Context, session_ids: Sequence[str]) -> None:
    """These sessions are now cut by the present rules."""
    statement = update(SearchedSessionRow).where(SearchedSessionRow.session_id.in_(session_ids)).values(rules=RULES)
    await ctx.session.execute(statement.execution_options(synchronize_session=False))


async def outdated(ctx: Context, *, after: str, limit: int) -> Sequence[tuple[str, int]]:
    """Ids and numbers of sessions that were cut by other rules, in order of id, in portions.

    They are locked as uploads lock them, the session first, so that none is changed meanwhile.
    """
    query = select(SessionRow.id, SearchedSessionRow.number)
    query = query.join(SearchedSessionRow, SearchedSessionRow.session_id == SessionRow.id)
    query = query.where(SearchedSessionRow.rules != RULES, SessionRow.id > after)
    rows = await ctx.session.execute(query.order_by(SessionRow.id).limit(limit).with_for_update())
    return [(row[0], row[1]) for row in rows]


async def sampled_texts(ctx: Context, limit: int) -> list[tuple[int, str]]:
    """The keys and texts of some exchanges, spread over all that were cut by the present rules."""
    key = SearchedSessionRow.number * (1 << ORDER_BITS) + ExchangeRow.order_number
    query = select(key, ExchangeRow.body).join(
        SearchedSessionRow, SearchedSessionRow.session_id == ExchangeRow.session_id
    )
    query = query.where(SearchedSessionRow.rules == RULES)
    rows = await ctx.session.execute(query.order_by(func.substr(ExchangeRow.id, 30)).limit(limit))
    return [(row[0], unpack(row[1]).decode()) for row in rows]
