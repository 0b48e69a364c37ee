"""A program that serves the graph, its people, and what they recorded."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx import Response
from sqlalchemy import event

from specloop.app.graphql.rest import router
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.kit.context import CredentialKind, Principal
from specloop.record.projects import ProjectService
from specloop.record.search import ExchangeMeaning, SearchIndexing, SearchService, WordLlamaEmbedder
from specloop.record.sessions import ProjectOverview, Session, SessionBatches, SessionReader, SessionUploads, Upload
from tests.identity.front.program import Program, Visitor, running
from tests.record.search.library import session_data

PATH = "/api/v1/graphql"
EMBEDDER = WordLlamaEmbedder()
LIST = "query($f: SessionFilters) { sessions(filters: $f) { sessions { name } total } }"
SEARCH = """
query($q: String!, $f: SessionFilters) { searchSessions(query: $q, filters: $f) { total results { name } } }
"""


@dataclass
class Shelf:
    """One person's recordings and queries."""

    program: Program
    visitor: Visitor
    uploads: SessionUploads

    @property
    def principal(self) -> Principal:
        """The person in the default workspace."""
        scopes = frozenset({"read:workspace", "write:workspace"})
        who = self.visitor
        return Principal(who.account_id, CredentialKind.SESSION, who.user_id, who.workspace_id, scopes)

    async def put(
        self,
        session_id: str,
        *exchanges: str,
        project: str = "demo",
        at: str = "2026-01-01T10:00:00Z",
        model: str = "claude-sonnet-4-5",
        markdown: str = "# A conversation",
        **metadata: Any,
    ) -> Session:
        """Record a session with these exchanges at a time."""
        upload = Upload(
            project_name=f"The {project}",
            name=f"name of {session_id}",
            markdown=markdown.encode(),
            raw=b"raw",
            session_data=session_data(exchanges or ("hello",), at=at, model=model),
            metadata={"agentName": "Claude Code", "clientName": "specstory-cli", **metadata},
        )
        async with self.program.database.writing(self.principal.workspace_id) as unit:
            ctx = Context(self.principal, unit, self.program.clock)
            return (await self.uploads.put(ctx, project, session_id, upload)).session

    async def send(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Response:
        """One request."""
        body: dict[str, Any] = {"query": query} if variables is None else {"query": query, "variables": variables}
        return await self.visitor.post(PATH, body, **headers)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """The data of a query that must succeed."""
        answer = await self.send(query, variables, **headers)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert "errors" not in body, body["errors"]
        return body["data"]

    async def names(self, filters: Mapping[str, Any], query: str | None = None) -> list[str]:
        """The names (without "name of") of the sessions that match."""
        if query is None:
            found = (await self.ask(LIST, {"f": filters}))["sessions"]
            rows = found["sessions"]
        else:
            found = (await self.ask(SEARCH, {"f": filters, "q": query}))["searchSessions"]
            rows = found["results"]
        assert found["total"] == len(rows)
        return sorted(row["name"].removeprefix("name of ") for row in rows)


@asynccontextmanager
async def running_graph(database: Database, folder: Path) -> AsyncGenerator[Program]:
    """Identity, the graph, and the record stage's services behind it."""
    projects = ProjectService()
    reader = SessionReader(projects)
    async with running(database, folder, routers=[router]) as program:
        services: Sequence[object] = (
            reader,
            ProjectOverview(projects),
            SessionBatches(),
            SearchService(ExchangeMeaning(EMBEDDER)),
        )
        program.app.state.services.update({type(service): service for service in services})
        yield program


async def shelf_of(program: Program, email: str) -> Shelf:
    """A new person's shelf."""
    uploads = SessionUploads(ProjectService(), [SearchIndexing()])
    return Shelf(program, await program.register(email), uploads)


@asynccontextmanager
async def counted_statements(database: Database) -> AsyncGenerator[list[str]]:
    """The SELECT statements that run inside the block."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            seen.append(statement)

    engines = {database.writer_engine.sync_engine, database.reader_engine.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
