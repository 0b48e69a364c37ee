"""Reads for many sessions or projects at once: one statement each, however many they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, cast, func, literal, select, type_coerce

from specloop.db.context import Context
from specloop.kit.ids import parse_uuid
from specloop.record.sessions.model import DocumentKind, Session, ValueKind
from specloop.record.sessions.repository.filters import owned
from specloop.record.sessions.repository.reading import StoredDocument
from specloop.record.sessions.repository.rows import select_sessions, to_session
from specloop.record.sessions.tables import DocumentRow, SessionRow, ValueRow

_DAY_SECONDS = 86_400
_SHARED_KINDS = (ValueKind.FILE, ValueKind.BRANCH, ValueKind.TAG)


async def documents(ctx: Context, session_ids: Sequence[str], kind: DocumentKind) -> dict[str, StoredDocument]:
    """The stored documents of the caller's sessions, by row id."""
    query = (
        select(DocumentRow.session_id, DocumentRow.sha256, DocumentRow.size, DocumentRow.body)
        .join(SessionRow, SessionRow.id == DocumentRow.session_id)
        .where(owned(ctx), DocumentRow.session_id.in_(session_ids), DocumentRow.kind == kind.value)
    )
    return {row[0]: StoredDocument(*row[1:]) for row in await ctx.session.execute(query)}


async def find_anywhere(ctx: Context, session_id: str) -> Session | None:
    """The session with this client id in any project, else with this row id; of several the newest."""
    for column, value in ((SessionRow.client_id, session_id), (SessionRow.id, parse_uuid(session_id))):
        if value is None:
            continue
        query = select_sessions().where(owned(ctx), column == value)
        newest = query.order_by(SessionRow.active_at.desc(), SessionRow.id.desc()).limit(1)
        row = (await ctx.session.execute(newest)).mappings().first()
        if row is not None:
            return to_session(dict(row))
    return None


async def newest_of_projects(
    ctx: Context, project_ids: Sequence[str], limit: int, offset: int
) -> dict[str, list[Session]]:
    """A slice of each project's sessions, newest first, by the project's row id."""
    newest = (SessionRow.created_at.desc(), SessionRow.id.desc())
    place = func.row_number().over(partition_by=SessionRow.project_id, order_by=newest).label("place")
    ranked = select(SessionRow.id, place).where(owned(ctx), SessionRow.project_id.in_(project_ids)).subquery()
    query = (
        select_sessions()
        .join(ranked, ranked.c.id == SessionRow.id)
        .where(ranked.c.place > offset, ranked.c.place <= offset + limit)
        .order_by(*newest)
    )
    found: dict[str, list[Session]] = {}
    for row in (await ctx.session.execute(query)).mappings():
        found.setdefault(row["project_row_id"], []).append(to_session(dict(row)))
    return found


async def values_of_projects(ctx: Context, project_ids: Sequence[str]) -> list[tuple[str, str, str, int]]:
    """(project, kind, value, sessions) for models, branches and tags, most frequent first."""
    kinds = (ValueKind.MODEL.value, ValueKind.BRANCH.value, ValueKind.TAG.value)
    sessions = func.count()
    query = (
        select(SessionRow.project_id, ValueRow.kind, ValueRow.value, sessions)
        .join(ValueRow, ValueRow.session_id == SessionRow.id)
        .where(owned(ctx), SessionRow.project_id.in_(project_ids), ValueRow.kind.in_(kinds))
        .group_by(SessionRow.project_id, ValueRow.kind, ValueRow.value)
        .order_by(sessions.desc(), ValueRow.value)
    )
    return [(row[0], row[1], row[2], row[3]) for row in await ctx.session.execute(query)]


async def days_of_projects(ctx: Context, project_ids: Sequence[str]) -> list[tuple[str, int, int]]:
    """(project, day since the epoch, sessions that began on it), oldest first."""
    day = _day(ctx)
    query = (
        select(SessionRow.project_id, day, func.count())
        .where(owned(ctx), SessionRow.project_id.in_(project_ids))
        .group_by(SessionRow.project_id, day)
        .order_by(day)
    )
    return [(row[0], row[1], row[2]) for row in await ctx.session.execute(query)]


async def totals(ctx: Context, conditions: Sequence[ColumnElement[bool]]) -> tuple[int, int]:
    """(sessions, projects) among the caller's sessions that fulfil `conditions`."""
    query = select(func.count(), func.count(SessionRow.project_id.distinct())).where(owned(ctx), *conditions)
    row = (await ctx.session.execute(query)).one()
    return row[0], row[1]


async def by_model(ctx: Context, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[str, int, int]]:
    """(model, sessions, bytes of Markdown), most frequent first."""
    sessions = func.count()
    query = (
        select(ValueRow.value, sessions, cast(func.sum(SessionRow.markdown_size), BigInteger))
        .join(SessionRow, SessionRow.id == ValueRow.session_id)
        .where(owned(ctx), ValueRow.kind == ValueKind.MODEL.value, *conditions)
        .group_by(ValueRow.value)
        .order_by(sessions.desc(), ValueRow.value)
    )
    return [(row[0], row[1], row[2]) for row in await ctx.session.execute(query)]


async def by_client(ctx: Context, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[str, int, int]]:
    """(client, sessions, bytes of Markdown), most frequent first; sessions that name none are left out."""
    sessions = func.count()
    query = (
        select(SessionRow.client_name, sessions, cast(func.sum(SessionRow.markdown_size), BigInteger))
        .where(owned(ctx), SessionRow.client_name.is_not(None), *conditions)
        .group_by(SessionRow.client_name)
        .order_by(sessions.desc(), SessionRow.client_name)
    )
    return [(row[0] or "", row[1], row[2]) for row in await ctx.session.execute(query)]


async def by_day(ctx: Context, conditions: Sequence[ColumnElement[bool]]) -> list[tuple[int, int, int]]:
    """(day since the epoch, sessions, projects), oldest first."""
    day = _day(ctx)
    query = (
        select(day, func.count(), func.count(SessionRow.project_id.distinct()))
        .where(owned(ctx), *conditions)
        .group_by(day)
        .order_by(day)
    )
    return [(row[0], row[1], row[2]) for row in await ctx.session.execute(query)]


async def nearest(ctx: Context, session_id: str, limit: int) -> list[tuple[str, float]]:
    """(row id, Jaccard similarity of files, branches and tags) of the sessions that share most with this one."""
    kinds = [kind.value for kind in _SHARED_KINDS]
    mine = select(ValueRow.kind, ValueRow.value).where(ValueRow.session_id == session_id, ValueRow.kind.in_(kinds))
    own = mine.subquery()
    shared = (
        select(ValueRow.session_id, func.count().label("shared"))
        .join(own, (own.c.kind == ValueRow.kind) & (own.c.value == ValueRow.value))
        .join(SessionRow, SessionRow.id == ValueRow.session_id)
        .where(owned(ctx), ValueRow.session_id != session_id)
        .group_by(ValueRow.session_id)
        .subquery()
    )
    sizes = (
        select(ValueRow.session_id, func.count().label("size"))
        .where(ValueRow.session_id.in_(select(shared.c.session_id)), ValueRow.kind.in_(kinds))
        .group_by(ValueRow.session_id)
        .subquery()
    )
    count = select(func.count()).select_from(own).scalar_subquery()
    similarity = (literal(1.0) * shared.c.shared / (count + sizes.c.size - shared.c.shared)).label("similarity")
    query = (
        select(shared.c.session_id, similarity)
        .join(sizes, sizes.c.session_id == shared.c.session_id)
        .order_by(similarity.desc(), shared.c.session_id.desc())
        .limit(limit)
    )
    return [(row[0], float(row[1])) for row in await ctx.session.execute(query)]


def started_between(since: datetime, until: datetime) -> list[ColumnElement[bool]]:
    """Sessions that began in the range, both ends included."""
    began = _began()
    return [began >= since, began <= until]


def _began() -> ColumnElement[datetime]:
    return func.coalesce(SessionRow.started_at, SessionRow.active_at)


def _day(ctx: Context) -> ColumnElement[int]:
    """The UTC day on which a session began, counted from the epoch: alike on both engines."""
    if ctx.uow.engine_name == "postgresql":
        seconds: ColumnElement[Any] = func.extract("epoch", _began())
        return cast(func.floor(seconds / _DAY_SECONDS), Integer)
    return type_coerce(_began(), BigInteger) // (_DAY_SECONDS * 1_000_000)
