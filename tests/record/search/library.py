"""A library of recorded sessions for tests of the search: uploads through the real door, searches, jobs.

Its clock stands in the past, so that what is to run later is due at once for a worker.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.jobs import Jobs, queue_level
from specloop.kit import json
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.ids import new_id
from specloop.record.projects import ProjectService
from specloop.record.search import (
    ExchangeMeaning,
    IndexCheck,
    IndexRebuilding,
    IndexReport,
    SearchAnswer,
    SearchIndexing,
    SearchRequest,
    SearchService,
    WordLlamaEmbedder,
)
from specloop.record.search.tasks import tasks
from specloop.record.sessions import Session, SessionReader, SessionRemoval, SessionUploads, Upload
from specloop.testing.clock import FakeClock
from specloop.testing.jobs import MemoryEngine
from specloop.worker import Worker
from tests.jobs.conftest import until

EMBEDDER = WordLlamaEmbedder()


def new_owner() -> Principal:
    """Somebody with a workspace of its own."""
    return Principal(
        account_id=new_id(),
        kind=CredentialKind.SESSION,
        user_id=new_id(),
        workspace_id=new_id(),
        scopes=frozenset({"read:workspace", "write:workspace"}),
    )


def session_data(exchanges: Sequence[str], **changed: Any) -> bytes:
    """A SessionData document (specstory.md §7.1) with one user message per exchange."""
    message = {"model": "claude-sonnet-4-5", **changed}
    document = {
        "schemaVersion": "1.0",
        "provider": {"id": "claude-code", "name": "Claude Code", "version": "unknown"},
        "sessionId": "s",
        "createdAt": "2026-01-01T10:00:00Z",
        "workspaceRoot": "/home/dev/demo",
        "exchanges": [
            {
                "exchangeId": f"s:{index}",
                "startTime": changed.get("at", "2026-01-01T10:00:00Z"),
                "endTime": changed.get("at", "2026-01-01T10:00:00Z"),
                "messages": [
                    {"role": "user", "content": [{"type": "text", "text": text}]},
                    {
                        "role": "agent",
                        "model": message["model"],
                        "content": [{"type": "text", "text": "ok"}],
                        **({"tool": changed["tool"]} if "tool" in changed else {}),
                    },
                ],
            }
            for index, text in enumerate(exchanges)
        ],
    }
    return json.dumps(document)


@dataclass
class Library:
    """One store; `owner` is who calls unless a method is told another."""

    database: Database
    owner: Principal = field(default_factory=new_owner)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        indexing = SearchIndexing()
        projects = ProjectService()
        self.reader = SessionReader(projects)
        self.uploads = SessionUploads(projects, [indexing])
        self.removal = SessionRemoval(projects, [indexing])
        self.meaning = ExchangeMeaning(EMBEDDER)
        self.service = SearchService(self.meaning)

    def of(self, owner: Principal) -> Library:
        """The same store for another caller."""
        return replace(self, owner=owner)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Context]:
        """A writing unit of the owner."""
        async with self.database.writing(self.owner.workspace_id) as unit:
            yield Context(self.owner, unit, self.clock)

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Context]:
        """A reading unit of the owner."""
        async with self.database.reading(self.owner.workspace_id) as unit:
            yield Context(self.owner, unit, self.clock)

    async def put(
        self,
        session_id: str,
        *exchanges: str,
        project: str = "demo",
        metadata: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> Session:
        """Upload a session with these exchanges; `changed` goes into its session data."""
        upload = Upload(
            project_name=project,
            name=session_id,
            markdown=("\n\n".join(exchanges) or "-").encode("utf-8", "replace"),
            raw=b"-",
            session_data=session_data(exchanges, **changed),
            metadata={"agentName": "Claude Code", "machineName": "laptop", **(metadata or {})},
        )
        async with self.writing() as ctx:
            return (await self.uploads.put(ctx, project, session_id, upload)).session

    async def delete(self, session: Session) -> None:
        """Delete a session."""
        async with self.writing() as ctx:
            await self.removal.delete(ctx, session)

    async def search(self, query: str, **changed: Any) -> SearchAnswer:
        """Search as the owner."""
        async with self.reading() as ctx:
            return await self.service.search(ctx, SearchRequest(query, **changed))

    async def found(self, query: str, **changed: Any) -> list[str]:
        """The client ids of the hits, in order."""
        return [hit.session.client_id for hit in (await self.search(query, **changed)).hits]

    async def check(self) -> IndexReport:
        """Compare the index with the exchanges."""
        async with self.database.reading(ALL_WORKSPACES) as unit:
            return await IndexCheck().check(Context(self.owner, unit, self.clock))

    async def rebuild(self) -> int:
        """Make the index anew."""
        return await IndexRebuilding(self.database, self.clock).rebuild()

    async def embed(self) -> None:
        """Run the jobs that wait."""
        services = {ExchangeMeaning.__name__: self.meaning}
        worker = Worker(self.database, Jobs(tasks), MemoryEngine(), services=services, poll_seconds=0.05)
        await worker.start()
        try:
            await until(self._is_idle)
        finally:
            await worker.stop()

    async def _is_idle(self) -> bool:
        async with self.database.reading(ALL_WORKSPACES) as unit:
            level = await queue_level(unit)
        return not level["jobs_waiting"] and not level["jobs_running"]
