"""Puts the record stage's sessions together: one place that knows how its services depend on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from specloop.db.database import Database
from specloop.identity.accounts import ReadRow
from specloop.jobs import Tasks
from specloop.kit.clock import Clock
from specloop.record.projects import ProjectService
from specloop.record.search import (
    ExchangeMeaning,
    IndexCheck,
    IndexTidying,
    SearchIndexing,
    SearchService,
    WordLlamaEmbedder,
)
from specloop.record.search.rest import router as search_router
from specloop.record.search.tasks import tasks as search_tasks
from specloop.record.sessions import (
    SESSION_READERS,
    ProjectOverview,
    SessionBatches,
    SessionEditor,
    SessionExpiry,
    SessionReader,
    SessionRemoval,
    SessionUploads,
    SharedSessions,
    Statistics,
)
from specloop.record.sessions.rest import routers as sessions_routers


@dataclass(frozen=True, slots=True)
class Record:
    """The recorded sessions, ready to be served. Routers are in order: literal paths come first."""

    services: Mapping[type, object]
    routers: Sequence[APIRouter]
    tasks: Sequence[Tasks]


@dataclass(frozen=True, slots=True)
class RecordKeeping:
    """How recorded sessions end: by age, with their workspace, and off the disk."""

    sessions: SessionExpiry
    tidying: IndexTidying


def assemble_keeping(database: Database, clock: Clock) -> RecordKeeping:
    """What the nightly sweep and erasures need."""
    return RecordKeeping(SessionExpiry(database, clock, (SearchIndexing(),)), IndexTidying(database, clock))


def export_readers() -> Mapping[str, ReadRow | None]:
    """How rows of recorded sessions are read in an export; the search is made of them and left out."""
    return {**SESSION_READERS, **dict.fromkeys(("search_sessions", "exchange_words", "exchange_vectors"))}


def assemble() -> Record:
    """The stage without traces, which need the telemetry store."""
    projects = ProjectService()
    reader = SessionReader(projects)
    meaning = ExchangeMeaning(WordLlamaEmbedder())
    observers = (SearchIndexing(),)
    services = (
        projects,
        reader,
        SessionBatches(),
        SessionUploads(projects, observers),
        SessionEditor(),
        SessionRemoval(projects, observers),
        SharedSessions(reader),
        ProjectOverview(projects),
        Statistics(),
        meaning,
        SearchService(meaning),
        IndexCheck(),
    )
    return Record(
        services={type(service): service for service in services},
        routers=[*sessions_routers, search_router],
        tasks=[search_tasks],
    )
