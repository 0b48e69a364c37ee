"""Reads the caller's sessions: lists, single ones, their documents and exchanges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger
from specloop.record.projects import ProjectNotFound, ProjectService
from specloop.record.sessions import transcript
from specloop.record.sessions.compression import verified
from specloop.record.sessions.errors import DocumentCorrupt, SessionNotFound
from specloop.record.sessions.model import (
    DocumentKind,
    Exchange,
    Session,
    SessionFilters,
    SessionOrder,
    SessionSizes,
)
from specloop.record.sessions.repository import reading
from specloop.record.sessions.repository.filters import matching
from specloop.record.sessions.repository.reading import Slice
from specloop.record.sessions.service.uploads import off_loop
from specloop.record.sessions.transcript import Parsed

log = get_logger(__name__)
RECENT_MAX = 100


class SessionReader:
    """What the caller has recorded."""

    def __init__(self, projects: ProjectService) -> None:
        self._projects = projects

    async def find(self, ctx: Context, project_id: str, session_id: str) -> Session:
        """The session by ids as in URLs: of the project client id, alias or row id; of the session client or row id.

        Raises: SessionNotFound.
        """
        try:
            project = await self._projects.find(ctx, project_id)
        except ProjectNotFound as error:
            raise SessionNotFound from error
        found = await reading.find(ctx, project.id, session_id)
        if found is None:
            raise SessionNotFound
        return found

    async def changed_at(self, ctx: Context, session: Session) -> datetime:
        """When that changed last which the session shows: itself, or its project's name, icon, colour or id."""
        changed = await reading.project_changed_at(ctx, session.project.id)
        return session.updated_at if changed is None else max(session.updated_at, changed)

    async def get(self, ctx: Context, row_id: str) -> Session:
        """The session with this row id.

        Raises: SessionNotFound.
        """
        found = await reading.get_many(ctx, [row_id])
        if row_id not in found:
            raise SessionNotFound
        return found[row_id]

    async def get_many(self, ctx: Context, row_ids: Sequence[str]) -> dict[str, Session]:
        """Those of the named sessions that are the caller's, by row id."""
        return await reading.get_many(ctx, row_ids)

    async def named(self, ctx: Context, ids: Sequence[str]) -> list[Session]:
        """The sessions of any project with one of these client or row ids (at most 100 are looked for)."""
        return await reading.named(ctx, ids[:RECENT_MAX]) if ids else []

    async def list_sessions(
        self,
        ctx: Context,
        filters: SessionFilters | None = None,
        *,
        order: SessionOrder = SessionOrder.CREATED,
        descending: bool = True,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Session]:
        """The sessions that match, in a total order; None as `limit` means all."""
        return await reading.list_sessions(ctx, filters or SessionFilters(), Slice(order, descending, limit, offset))

    async def count(self, ctx: Context, filters: SessionFilters | None = None) -> int:
        """How many match."""
        return await reading.count(ctx, filters or SessionFilters())

    async def recent(self, ctx: Context, limit: int) -> list[Session]:
        """The newest across projects; `limit` is brought into 1..100 (specstory.md §1.4)."""
        return await self.list_sessions(ctx, order=SessionOrder.ACTIVE, limit=min(max(limit, 1), RECENT_MAX))

    async def resumable(self, ctx: Context, project_id: str | None = None) -> list[Session]:
        """Every session with session data, newest first: of one project, or of all.

        Raises: ProjectNotFound.
        """
        project = None if project_id is None else await self._projects.find(ctx, project_id)
        return await reading.resumable(ctx, None if project is None else project.id)

    async def sizes(self, ctx: Context, project_id: str) -> list[SessionSizes]:
        """What is stored of each session of a project; nothing for a project that nobody knows (specstory.md §1.2)."""
        try:
            project = await self._projects.find(ctx, project_id)
        except ProjectNotFound:
            return []
        return await reading.sizes(ctx, project.id)

    async def document(self, ctx: Context, session: Session, kind: DocumentKind) -> bytes | None:
        """The bytes that were uploaded, or None when there is no such document.

        Raises: DocumentCorrupt when they are not those bytes any more.
        """
        stored = await reading.document(ctx, session.id, kind)
        if stored is None:
            return None
        body = await off_loop(stored.size, lambda: verified(stored.body, stored.sha256))
        if body is None:
            incident = new_id()
            about = {"session_id": session.id, "kind": kind.value, "sha256": stored.sha256}
            log.error("session.document_corrupt", incident_id=incident, **about)
            raise DocumentCorrupt(f"{DocumentCorrupt.__doc__}. Incident {incident}", incident_id=incident)
        return body

    async def exchanges(self, ctx: Context, session_id: str) -> list[Exchange]:
        """All exchanges of the session with this row id, in order."""
        if not await reading.get_many(ctx, [session_id]):
            return []
        return await reading.exchanges_of_session(ctx, session_id)

    async def exchanges_of(self, ctx: Context, exchange_ids: Sequence[str]) -> list[Exchange]:
        """Those of the named exchanges that are the caller's, by session and order."""
        return await reading.exchanges_by_id(ctx, exchange_ids)

    async def transcript(self, ctx: Context, session: Session) -> Parsed:
        """The session as messages and tool calls, from the best document there is.

        Raises: DocumentCorrupt.
        """
        markdown = await self.document(ctx, session, DocumentKind.MARKDOWN) or b""
        data = await self.document(ctx, session, DocumentKind.SESSION_DATA)
        return await off_loop(len(markdown) + len(data or b""), lambda: transcript.parse(markdown, data))

    async def facets(
        self,
        ctx: Context,
        filters: SessionFilters | None = None,
        conditions: Sequence[Any] = (),
    ) -> Mapping[str, Sequence[tuple[str, int]]]:
        """Sessions per agent, client, machine, project, model, branch, tag and tool; a repository may narrow it."""
        return await reading.facets(ctx, [*matching(filters or SessionFilters()), *conditions])
