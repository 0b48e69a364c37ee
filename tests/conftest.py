"""Fixtures that every part of the suite shares: all engines, each test with stores of its own."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import settings

from specloop.db.database import Database
from specloop.db.migrations import migrate
from specloop.db.telemetry import TelemetryStore
from specloop.db.telemetry.client import TelemetryClient
from specloop.db.telemetry.dsn import parse_dsn
from specloop.record.traces.ingest import drainer
from tests.engines import ENGINES, PostgresServer, running_postgres
from tests.server import started_server
from tests.telemetry import SharedTelemetry

settings.register_profile("house", deadline=None)  # how long an example takes is the machine's business
settings.load_profile("house")
drainer.PAUSE_SECONDS = 0.05  # hundreds of tests send a span and wait until it can be read
structlog.configure(  # as the program does; by default a traceback shows all variables and takes minutes
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)

_NUMBERS = count()


class CompiledStatements(dict[Any, Any]):
    """SQL that was compiled for one store, for every later store of the same engine.

    SQLAlchemy compiles anew for each `Database`: its keys begin with the dialect object.
    """

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((key[0].name, *key[1:]), compiled)


_COMPILED = CompiledStatements()


async def _migrate(url: str) -> None:
    database = await Database.open(url)
    await migrate(database)
    await database.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """A database with the newest schema, to be copied."""
    name = postgres_server.create_database()
    asyncio.run(_migrate(postgres_server.url(name)))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "state.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


GENEROUS = {
    "SPECLOOP_RATE_USER_PER_MINUTE": "1000000",
    "SPECLOOP_RATE_KEY_PER_MINUTE": "1000000",
    "SPECLOOP_REGISTRATIONS_PER_HOUR": "1000000",
}


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server on SQLite that every folder of tests uses, each test with accounts of its own."""
    with started_server(tmp_path_factory.mktemp("server-sqlite"), **GENEROUS) as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer) -> Iterator[str]:
    """The same on PostgreSQL."""
    address = postgres_server.url(postgres_server.create_database())
    with started_server(tmp_path_factory.mktemp("server-postgresql"), "--state-url", address, **GENEROUS) as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """The state engine of this run of the test."""
    return request.param


@pytest.fixture
def state_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a fresh store with the newest schema."""
    if engine_name == "sqlite":
        path = tmp_path / "state.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create_database(template=request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
async def database(state_url: str) -> AsyncIterator[Database]:
    """The fresh store, opened."""
    opened = await Database.open(state_url)
    for engine in {opened.reader_engine, opened.writer_engine}:
        engine.update_execution_options(compiled_cache=_COMPILED)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def shared_telemetry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedTelemetry]:
    """Where the telemetry engine of this process works; it allows one folder only."""
    shared = SharedTelemetry(tmp_path_factory.mktemp("telemetry"))
    yield shared
    asyncio.run(shared.close())


@pytest.fixture
def telemetry_dsn(shared_telemetry: SharedTelemetry) -> Iterator[str]:
    """A fresh telemetry database; the engine gets slower with each one that it keeps."""
    asyncio.run(shared_telemetry.close())
    dsn = f"chdb://{shared_telemetry.folder}?database=test_{next(_NUMBERS)}"
    yield dsn
    address = parse_dsn(dsn)
    client = TelemetryClient(address, database=None, settings={})
    client.command("DROP DATABASE IF EXISTS {database:Identifier} SYNC", {"database": address.database})
    client.close()


@pytest.fixture
async def telemetry(shared_telemetry: SharedTelemetry) -> TelemetryStore:
    """The shared store, empty."""
    return await shared_telemetry.emptied()
