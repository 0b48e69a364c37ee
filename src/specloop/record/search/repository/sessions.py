"""Which sessions are searched: their numbers, their order by recency, the filters of queries, facets of a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import numpy as np
from sqlalchemy import BigInteger, ColumnElement, Select, String, delete, exists, func, literal, or_, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from specloop.db.context import Context
from specloop.kit import json
from specloop.record.projects.tables import ProjectRow
from specloop.record.search.keys import Keys, to_keys
from specloop.record.search.query import Query
from specloop.record.search.tables import SearchedSessionRow
from specloop.record.search.words import RULES
from specloop.record.sessions import Session, SessionFilters, ValueKind
from specloop.record.sessions.repository.filters import matching, owned
from specloop.record.sessions.repository.reading import get_many
from specloop.record.sessions.tables import SessionRow, ValueRow

_AT_ONCE: Final = 500
_AMONG_MAX: Final = 2_000
_FACET_VALUES_MAX: Final = 100


@dataclass(frozen=True, slots=True)
class Numbered:
    """The number of a session, and by which rules its words in the index were cut."""

    number: int
    rules: str

    @property
    def is_current(self) -> bool:
        """Whether the present rules cut the same words, so that they can be taken out of the index again."""
        return self.rules == RULES


def _remembering(insert: Any) -> Any:
    table = SearchedSessionRow
    kept = {"active_at": insert.excluded.active_at}
    return insert.on_conflict_do_update(index_elements=["session_id"], set_=kept).returning(table.number, table.rules)


# Built once: putting a statement together costs more than running it.
_REMEMBER: Final[Mapping[str, Any]] = {
    "sqlite": _remembering(sqlite.insert(SearchedSessionRow)),
    "postgresql": _remembering(postgresql.insert(SearchedSessionRow)),
}


async def remember(ctx: Context, session: Session) -> Numbered:
    """The number of the session, given at its first upload; notes when the session was last active."""
    row = {
        "session_id": session.id,
        "account_id": session.account_id,
        "workspace_id": session.workspace_id,
        "owner_id": session.owner_id,
        "active_at": session.active_at,
        "rules": RULES,
    }
    connection = await ctx.session.connection()
    return Numbered(*(await connection.execute(_REMEMBER[ctx.uow.engine_name], row)).one())


async def renumber(ctx: Context, session: Session) -> Numbered:
    """Another number for the session; the old one is never given again."""
    await forget(ctx, [session.id])
    return await remember(ctx, session)


async def numbers(ctx: Context, session_ids: Sequence[str]) -> dict[str, Numbered]:
    """The numbers of sessions by id."""
    found: dict[str, Numbered] = {}
    for start in range(0, len(session_ids), _AT_ONCE):
        some = SearchedSessionRow.session_id.in_(session_ids[start : start + _AT_ONCE])
        query = select(SearchedSessionRow.session_id, SearchedSessionRow.number, SearchedSessionRow.rules).where(some)
        found.update({row[0]: Numbered(row[1], row[2]) for row in await ctx.session.execute(query)})
    return found


async def session_ids(ctx: Context, session_numbers: Sequence[int]) -> dict[int, str]:
    """The ids of sessions by number."""
    found: dict[int, str] = {}
    for start in range(0, len(session_numbers), _AT_ONCE):
        some = SearchedSessionRow.number.in_(session_numbers[start : start + _AT_ONCE])
        query = select(SearchedSessionRow.number, SearchedSessionRow.session_id).where(some)
        found.update({row[0]: row[1] for row in await ctx.session.execute(query)})
    return found


async def load(ctx: Context, ids: Sequence[str]) -> dict[str, Session]:
    """Those of the sessions that are the caller's, by id."""
    return await get_many(ctx, ids)


async def forget(ctx: Context, ids: Sequence[str]) -> None:
    """Take the numbers of sessions back."""
    for start in range(0, len(ids), _AT_ONCE):
        some = SearchedSessionRow.session_id.in_(ids[start : start + _AT_ONCE])
        await ctx.session.execute(delete(SearchedSessionRow).where(some))


async def newest_first(ctx: Context, filters: SessionFilters, query: Query, among: Keys | None = None) -> Keys:
    """The numbers of the caller's sessions that fulfil every filter, the last active first.

    Sessions that are not `among` these numbers are of no interest; they may be left out, and are when that saves work.
    """
    table = SearchedSessionRow
    mine = (table.workspace_id == ctx.workspace_id, table.owner_id == (ctx.principal.user_id or ""))
    chosen = select(table.number).where(*mine).order_by(table.active_at.desc(), table.number.desc())
    conditions = [*matching(filters), *_of_query(query)]
    if among is not None and among.size <= _AMONG_MAX:
        chosen = chosen.where(_is_one_of(ctx, among.tolist()))
    if conditions:
        chosen = chosen.join(SessionRow, SessionRow.id == table.session_id).where(*conditions)
    return await _joined(ctx, chosen)


async def facets(ctx: Context, session_numbers: Sequence[int]) -> Mapping[str, Sequence[tuple[str, int]]]:
    """Values of these sessions with their counts, most frequent first."""
    chosen = _chosen(ctx, session_numbers).subquery()
    columns = (("agent", chosen.c.agent_name), ("machine", chosen.c.machine_name))
    parts: list[Select[*tuple[Any, ...]]] = [
        select(literal(name, String).label("facet"), column.label("value"), func.count().label("sessions"))
        .where(column.is_not(None))
        .group_by(column)
        for name, column in columns
    ]
    by_project = select(literal("project", String), ProjectRow.client_id, func.count())
    parts.append(by_project.join(chosen, chosen.c.project_id == ProjectRow.id).group_by(ProjectRow.client_id))
    counted = [kind.value for kind in (ValueKind.MODEL, ValueKind.BRANCH, ValueKind.TAG, ValueKind.TOOL)]
    by_value = select(ValueRow.kind, ValueRow.value, func.count()).where(ValueRow.kind.in_(counted))
    parts.append(by_value.join(chosen, chosen.c.id == ValueRow.session_id).group_by(ValueRow.kind, ValueRow.value))
    found: dict[str, list[tuple[str, int]]] = {name: [] for name in ("agent", "project", "machine", *counted)}
    for facet, value, sessions in await ctx.session.execute(union_all(*parts)):
        found[facet].append((value, sessions))
    return {
        facet: sorted(values, key=lambda pair: (-pair[1], pair[0]))[:_FACET_VALUES_MAX]
        for facet, values in found.items()
    }


def _chosen(ctx: Context, session_numbers: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Sessions by number, however many: a list of parameters would have a limit."""
    query = select(SessionRow.id, SessionRow.agent_name, SessionRow.machine_name, SessionRow.project_id)
    query = query.join(SearchedSessionRow, SearchedSessionRow.session_id == SessionRow.id).where(owned(ctx))
    return query.where(_is_one_of(ctx, session_numbers))


def _is_one_of(ctx: Context, session_numbers: Sequence[int]) -> ColumnElement[bool]:
    if ctx.uow.engine_name == "postgresql":
        given = literal(list(session_numbers), postgresql.ARRAY(BigInteger))
        return SearchedSessionRow.number == func.any(given)
    each = func.json_each(json.dumps(list(session_numbers)).decode()).table_valued("value")
    return SearchedSessionRow.number.in_(select(each.c.value))


async def _joined(ctx: Context, chosen: Select[int]) -> Keys:
    inner = chosen.subquery()
    if ctx.uow.engine_name == "sqlite":
        return to_keys(await ctx.session.scalar(select(func.group_concat(inner.c.number))))
    return np.array(await ctx.session.scalar(select(func.array_agg(inner.c.number))) or [], np.int64)


def _of_query(query: Query) -> list[ColumnElement[bool]]:
    """The filters typed into a query: parts of names in either case, for people do not type whole names."""
    conditions: list[ColumnElement[bool]] = []
    for column, values in ((SessionRow.agent_name, query.agents), (SessionRow.machine_name, query.machines)):
        if values:
            conditions.append(or_(*(column.icontains(value, autoescape=True) for value in values)))
    if query.projects:
        named = or_(
            *(ProjectRow.name.icontains(value, autoescape=True) for value in query.projects),
            *(func.lower(ProjectRow.client_id) == value.lower() for value in query.projects),
        )
        conditions.append(SessionRow.project_id.in_(select(ProjectRow.id).where(named)))
    conditions += _of_values(query)
    if query.has_error is not None:
        conditions.append(SessionRow.has_error == query.has_error)
    if query.after is not None:
        conditions.append(SessionRow.active_at >= query.after)
    if query.before is not None:
        begun = func.coalesce(SessionRow.started_at, SessionRow.active_at)
        conditions.append(begun <= query.before - timedelta(microseconds=1))
    return conditions


def _of_values(query: Query) -> list[ColumnElement[bool]]:
    partly = ((ValueKind.MODEL, query.models), (ValueKind.FILE, query.files))
    wholly = ((ValueKind.BRANCH, query.branches), (ValueKind.TAG, query.tags), (ValueKind.TOOL, query.tools))
    of_kind = [
        (kind, or_(*(ValueRow.value.icontains(value, autoescape=True) for value in values)))
        for kind, values in partly
        if values
    ] + [
        (kind, or_(*(func.lower(ValueRow.value) == value.lower() for value in values)))
        for kind, values in wholly
        if values
    ]
    return [
        exists().where(ValueRow.session_id == SessionRow.id, ValueRow.kind == kind.value, condition)
        for kind, condition in of_kind
    ]
