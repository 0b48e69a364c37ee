"""Reads sessions, their documents and exchanges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Select, String, bindparam, func, literal, null, or_, select, union_all

from specloop.db.context import Context
from specloop.kit.ids import parse_uuid
from specloop.record.projects.tables import ProjectRow
from specloop.record.sessions.model import (
    DocumentKind,
    Exchange,
    Session,
    SessionFilters,
    SessionOrder,
    SessionSizes,
    ShareStatus,
    ValueKind,
)
from specloop.record.sessions.repository.filters import matching, owned
from specloop.record.sessions.repository.rows import select_sessions, to_exchange, to_session
from specloop.record.sessions.tables import SESSIONS, DocumentRow, ExchangeRow, SessionRow, ValueRow

_IDS_AT_ONCE = 500
_BY_ID: Final = select_sessions().where(SESSIONS.c.id.in_(bindparam("ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document at rest."""

    sha256: str
    size: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Slice:
    """Which sessions of a list, and in what order."""

    order: SessionOrder = SessionOrder.CREATED
    descending: bool = True
    limit: int | None = None
    offset: int = 0


async def find(ctx: Context, project_row_id: str, session_id: str) -> Session | None:
    """The session with this client id in the project, else with this row id."""
    in_project = (owned(ctx), SessionRow.project_id == project_row_id)
    found = await _first(ctx, select_sessions().where(*in_project, SessionRow.client_id == session_id))
    if found is None and (row_id := parse_uuid(session_id)) is not None:
        found = await _first(ctx, select_sessions().where(*in_project, SessionRow.id == row_id))
    return found


async def get_many(ctx: Context, row_ids: Sequence[str]) -> dict[str, Session]:
    """Those of the sessions with these row ids that are the caller's, by row id.

    Whose they are is looked at here and not in SQL, where SQLite would rather walk through all of the owner's.
    """
    found: dict[str, Session] = {}
    whose = (ctx.workspace_id, ctx.principal.user_id or "")
    connection = await ctx.session.connection()
    for start in range(0, len(row_ids), _IDS_AT_ONCE):
        rows = await connection.execute(_BY_ID, {"ids": list(row_ids[start : start + _IDS_AT_ONCE])})
        mine = (row for row in rows.mappings() if (row["workspace_id"], row["owner_id"]) == whose)
        found.update({row["id"]: to_session(dict(row)) for row in mine})
    return found


async def named(ctx: Context, ids: Sequence[str]) -> list[Session]:
    """The sessions of any project with one of these client or row ids, the one used last first."""
    row_ids = [row_id for row_id in map(parse_uuid, ids) if row_id is not None]
    query = select_sessions().where(owned(ctx), or_(SessionRow.client_id.in_(ids), SessionRow.id.in_(row_ids)))
    return await _all(ctx, query.order_by(SessionRow.active_at.desc(), SessionRow.id).limit(_IDS_AT_ONCE))


async def find_shared(ctx: Context, share_id: str) -> Session | None:
    """An unlisted session of anybody by row id, else by client id; of several the one that was shared first.

    Anybody may upload a session under any client id, so neither may take over a link that leads somewhere: row ids are
    the server's own and come first, and of those that chose the same client id the first to share it keeps the link.
    """
    first = (SessionRow.shared_at.asc().nulls_last(), SessionRow.id)
    for column, value in ((SessionRow.id, parse_uuid(share_id)), (SessionRow.client_id, share_id)):
        if value is None:
            continue
        query = select_sessions().where(column == value, SessionRow.share_status == ShareStatus.UNLISTED.value)
        found = await _first(ctx, query.order_by(*first).limit(1))
        if found is not None:
            return found
    return None


async def project_changed_at(ctx: Context, project_row_id: str) -> datetime | None:
    """When the project itself was changed last, whoever's it is."""
    return await ctx.session.scalar(select(ProjectRow.updated_at).where(ProjectRow.id == project_row_id))


async def list_sessions(ctx: Context, filters: SessionFilters, part: Slice) -> list[Session]:
    """A slice of the matching sessions, in a total order."""
    column: Any = SESSIONS.columns[part.order.value]
    ordered = column.desc().nulls_last() if part.descending else column.asc().nulls_first()
    tie = SessionRow.id.desc() if part.descending else SessionRow.id.asc()
    query = select_sessions().where(owned(ctx), *matching(filters)).order_by(ordered, tie)
    return await _all(ctx, query.limit(part.limit).offset(part.offset))


async def count(ctx: Context, filters: SessionFilters) -> int:
    """How many sessions match."""
    query = select(func.count()).select_from(SessionRow).where(owned(ctx), *matching(filters))
    return await ctx.session.scalar(query) or 0


async def resumable(ctx: Context, project_row_id: str | None) -> list[Session]:
    """All sessions with session data, newest first: endedAt, then updatedAt (specstory.md §1.4)."""
    query = select_sessions().where(owned(ctx), func.coalesce(SessionRow.data_size, 0) > 0)
    if project_row_id is not None:
        query = query.where(SessionRow.project_id == project_row_id)
    newest = (SessionRow.ended_at.desc().nulls_last(), SessionRow.updated_at.desc(), SessionRow.id.desc())
    return await _all(ctx, query.order_by(*newest))


async def sizes(ctx: Context, project_row_id: str) -> list[SessionSizes]:
    """The sizes of every session of a project."""
    query = select(SessionRow.client_id, SessionRow.markdown_size, SessionRow.data_size)
    rows = await ctx.session.execute(query.where(owned(ctx), SessionRow.project_id == project_row_id))
    return [SessionSizes(*row) for row in rows]


async def document(ctx: Context, session_id: str, kind: DocumentKind) -> StoredDocument | None:
    """The stored form of a document."""
    query = select(DocumentRow.sha256, DocumentRow.size, DocumentRow.body)
    row = (
        await ctx.session.execute(query.where(DocumentRow.session_id == session_id, DocumentRow.kind == kind.value))
    ).first()
    return None if row is None else StoredDocument(*row)


async def exchanges(ctx: Context, condition: ColumnElement[bool]) -> list[Exchange]:
    """Exchanges by session and order; give a condition on `ExchangeRow`."""
    query = select(ExchangeRow).where(condition).order_by(ExchangeRow.session_id, ExchangeRow.order_number)
    return [to_exchange(row) for row in (await ctx.session.scalars(query)).all()]


async def exchanges_of_session(ctx: Context, session_id: str) -> list[Exchange]:
    """All exchanges of a session, in order."""
    return await exchanges(ctx, ExchangeRow.session_id == session_id)


async def exchanges_by_id(ctx: Context, exchange_ids: Sequence[str]) -> list[Exchange]:
    """These exchanges, where they belong to the caller."""
    mine = select(SessionRow.id).where(owned(ctx))
    found: list[Exchange] = []
    for start in range(0, len(exchange_ids), _IDS_AT_ONCE):
        some = ExchangeRow.id.in_(exchange_ids[start : start + _IDS_AT_ONCE])
        found += await exchanges(ctx, some & ExchangeRow.session_id.in_(mine))
    return found


async def facets(ctx: Context, conditions: Sequence[ColumnElement[bool]]) -> dict[str, list[tuple[str, int]]]:
    """Sessions per value among the caller's sessions that fulfil `conditions`, most frequent first."""
    chosen = select(SessionRow).where(owned(ctx), *conditions).subquery()
    columns = (("agent", chosen.c.agent_name), ("client", chosen.c.client_name), ("machine", chosen.c.machine_name))
    parts: list[Any] = [
        select(literal(name, String).label("facet"), column.label("value"), func.count().label("sessions"))
        .where(column.is_not(null()))
        .group_by(column)
        for name, column in columns
    ]
    parts.append(
        select(literal("project", String), ProjectRow.client_id, func.count())
        .join(chosen, chosen.c.project_id == ProjectRow.id)
        .group_by(ProjectRow.client_id)
    )
    counted = (ValueKind.MODEL.value, ValueKind.BRANCH.value, ValueKind.TAG.value, ValueKind.TOOL.value)
    parts.append(
        select(ValueRow.kind, ValueRow.value, func.count())
        .join(chosen, chosen.c.id == ValueRow.session_id)
        .where(ValueRow.kind.in_(counted))
        .group_by(ValueRow.kind, ValueRow.value)
    )
    found: dict[str, list[tuple[str, int]]] = {}
    for facet, value, sessions in cast("Any", await ctx.session.execute(union_all(*parts))):
        found.setdefault(facet, []).append((value, sessions))
    return {facet: sorted(values, key=lambda pair: (-pair[1], pair[0])) for facet, values in found.items()}


async def _first(ctx: Context, query: Select[Any]) -> Session | None:
    row = (await ctx.session.execute(query)).mappings().first()
    return None if row is None else to_session(dict(row))


async def _all(ctx: Context, query: Select[Any]) -> list[Session]:
    return [to_session(dict(row)) for row in (await ctx.session.execute(query)).mappings()]
