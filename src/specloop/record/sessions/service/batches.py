"""What graphs and overviews ask of many sessions or projects at once; the figures are exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from specloop.db.context import Context
from specloop.kit.log import get_logger
from specloop.record.sessions.compression import verified
from specloop.record.sessions.errors import DocumentCorrupt
from specloop.record.sessions.model import DocumentKind, Session, ValueKind
from specloop.record.sessions.repository import batches, reading
from specloop.record.sessions.repository.reading import StoredDocument
from specloop.record.sessions.service.uploads import off_loop

log = get_logger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()


@dataclass(frozen=True, slots=True)
class ProjectFigures:
    """Models and branches by name; (tag, sessions), most frequent first; (ISO day, sessions), oldest first."""

    models: Sequence[str] = ()
    branches: Sequence[str] = ()
    tags: Sequence[tuple[str, int]] = ()
    days: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class NearSession:
    """A session that is about the same things; `similarity` is from 0 to 1."""

    session: Session
    similarity: float


@dataclass(frozen=True, slots=True)
class Activity:
    """What happened in a span of time.

    (model, sessions, bytes of Markdown), (client, sessions, bytes of Markdown), (ISO day, sessions, projects).
    """

    sessions: int
    projects: int
    by_model: Sequence[tuple[str, int, int]]
    by_client: Sequence[tuple[str, int, int]]
    by_day: Sequence[tuple[str, int, int]]


class SessionBatches:
    """The caller's sessions, many at a time."""

    async def find_anywhere(self, ctx: Context, session_id: str) -> Session | None:
        """The session with this client id or row id in any project."""
        return await batches.find_anywhere(ctx, session_id)

    async def documents(
        self, ctx: Context, session_ids: Sequence[str], kind: DocumentKind
    ) -> Mapping[str, bytes | DocumentCorrupt]:
        """The documents of these sessions by row id; one that is not what was uploaded any more is its error."""
        stored = await batches.documents(ctx, session_ids, kind)
        size = sum(one.size for one in stored.values())
        return await off_loop(size, lambda: {key: _opened(key, one) for key, one in stored.items()})

    async def newest_of_projects(
        self, ctx: Context, project_ids: Sequence[str], limit: int, offset: int
    ) -> Mapping[str, Sequence[Session]]:
        """A slice of each project's sessions, newest first, by the project's row id."""
        return await batches.newest_of_projects(ctx, project_ids, limit, offset)

    async def figures_of_projects(self, ctx: Context, project_ids: Sequence[str]) -> Mapping[str, ProjectFigures]:
        """The figures of each project, by row id."""
        values: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for project, kind, value, count in await batches.values_of_projects(ctx, project_ids):
            values.setdefault((project, kind), []).append((value, count))
        days: dict[str, list[tuple[str, int]]] = {}
        for project, day, count in await batches.days_of_projects(ctx, project_ids):
            days.setdefault(project, []).append((_iso(day), count))
        return {
            project: ProjectFigures(
                models=_names(values.get((project, ValueKind.MODEL.value), [])),
                branches=_names(values.get((project, ValueKind.BRANCH.value), [])),
                tags=values.get((project, ValueKind.TAG.value), []),
                days=days.get(project, []),
            )
            for project in project_ids
        }

    async def nearest(self, ctx: Context, session: Session, limit: int) -> list[NearSession]:
        """The sessions that share most files, branches and tags with this one, nearest first."""
        found = await batches.nearest(ctx, session.id, limit)
        rows = await reading.get_many(ctx, [row_id for row_id, _ in found])
        return [NearSession(rows[row_id], similarity) for row_id, similarity in found if row_id in rows]

    async def activity(self, ctx: Context, since: datetime, until: datetime) -> Activity:
        """What began between two moments, both included."""
        range_ = batches.started_between(since, until)
        sessions, projects = await batches.totals(ctx, range_)
        return Activity(
            sessions=sessions,
            projects=projects,
            by_model=await batches.by_model(ctx, range_),
            by_client=await batches.by_client(ctx, range_),
            by_day=[(_iso(day), count, among) for day, count, among in await batches.by_day(ctx, range_)],
        )

    async def models(self, ctx: Context) -> list[tuple[str, int]]:
        """(model, sessions) over everything, most frequent first."""
        return [(model, count) for model, count, _ in await batches.by_model(ctx, ())]


def _opened(session_id: str, stored: StoredDocument) -> bytes | DocumentCorrupt:
    body = verified(stored.body, stored.sha256)
    if body is None:
        log.error("session.document_corrupt", session_id=session_id, sha256=stored.sha256)
        return DocumentCorrupt()
    return body


def _iso(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


def _names(counted: Sequence[tuple[str, int]]) -> list[str]:
    return sorted(value for value, _ in counted)
