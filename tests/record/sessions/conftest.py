"""The services of recorded sessions over a fresh store, and one person who records."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import pytest

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.ids import new_id
from specloop.record.projects import ProjectService
from specloop.record.sessions import (
    ProjectOverview,
    SessionEditor,
    SessionObserver,
    SessionReader,
    SessionRemoval,
    SessionUploads,
    SharedSessions,
    Statistics,
    Stored,
    Upload,
)
from specloop.testing.clock import FakeClock
from tests.record.specstory.cli_emulator import LocalSession

Service = TypeVar("Service")


def somebody() -> Principal:
    """A person in a workspace of their own."""
    return Principal(new_id(), CredentialKind.SESSION, new_id(), new_id())


@dataclass
class Recorder:
    """The stage without HTTP."""

    database: Database
    observers: tuple[SessionObserver, ...] = ()
    who: Principal = field(default_factory=somebody)
    clock: FakeClock = field(default_factory=FakeClock)
    services: dict[type, object] = field(default_factory=dict[type, object])

    def __post_init__(self) -> None:
        projects = ProjectService()
        reader = SessionReader(projects)
        made = (
            projects,
            reader,
            SessionUploads(projects, self.observers),
            SessionEditor(),
            SessionRemoval(projects, self.observers),
            SharedSessions(reader),
            ProjectOverview(projects),
            Statistics(),
        )
        self.services = {type(one): one for one in made}

    def get(self, kind: type[Service]) -> Service:
        """The service of this class."""
        return cast(Service, self.services[kind])

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Context]:
        """A unit that reads."""
        async with self.database.reading(self.who.workspace_id) as unit:
            yield Context(self.who, unit, self.clock)

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Context]:
        """A unit that writes."""
        async with self.database.writing(self.who.workspace_id) as unit:
            yield Context(self.who, unit, self.clock)

    async def put(self, session: LocalSession, project: str = "widgets", **metadata: Any) -> Stored:
        """Upload a session."""
        async with self.writing() as ctx:
            return await self.get(SessionUploads).put(ctx, project, session.session_id, upload_of(session, **metadata))


def upload_of(session: LocalSession, **metadata: Any) -> Upload:
    """What the client would send."""
    return Upload(
        project_name="widgets",
        name=session.name,
        markdown=session.markdown.encode(),
        raw=session.raw.encode(),
        session_data=session.session_data.encode() or None,
        metadata={"agentName": session.agent, **metadata},
    )


@pytest.fixture
def recorder(database: Database) -> Recorder:
    """The stage without observers."""
    return Recorder(database)
