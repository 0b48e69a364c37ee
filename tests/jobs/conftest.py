"""A store with the job tables, a caller, and workers on the real engine that stop with the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from specloop import jobs
from specloop.db.base import Base
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.jobs.dbos_engine import DBOSEngine
from specloop.jobs.tables import JobRow, JobScheduleRow, JobStepRow
from specloop.kit.context import CredentialKind, Principal
from specloop.worker import Worker
from tests.engines import PostgresServer

DEADLINE_SECONDS = 60.0
ALICE = Principal("acc-1", CredentialKind.SESSION, user_id="user-1", workspace_id="ws-1", scopes=frozenset({"write"}))
BOB = Principal("acc-2", CredentialKind.SESSION, user_id="user-2", workspace_id="ws-2", scopes=frozenset({"write"}))


async def create_job_tables(database: Database) -> None:
    """The tables of durable work, if the store lacks them."""
    tables: list[Any] = [JobRow.__table__, JobStepRow.__table__, JobScheduleRow.__table__]
    async with database.writer_engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all, tables=tables)


@asynccontextmanager
async def acting(database: Database, principal: Principal = ALICE) -> AsyncGenerator[Context]:
    """A writing unit of work for a caller."""
    async with database.writing(principal.workspace_id) as uow:
        yield Context(principal, uow)


async def enqueue(database: Database, name: str, payload: dict[str, Any], **options: Any) -> str:
    """Ask for a job in a transaction of its own."""
    async with acting(database, options.pop("principal", ALICE)) as ctx:
        queue = options.pop("queue", "scan")
        return await jobs.enqueue(ctx, name, payload, queue=queue, **options)


async def read(database: Database, job_id: str, principal: Principal = ALICE) -> jobs.Job:
    """The job as its owner sees it."""
    async with acting(database, principal) as ctx:
        return await jobs.read_job(ctx, job_id)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until the condition holds.

    Raises: TimeoutError at the deadline.
    """
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await condition():  # noqa: ASYNC110  (the condition lives in a database)
            await asyncio.sleep(0.02)


async def ended(database: Database, job_id: str) -> jobs.Job:
    """The job once it is final."""

    async def is_final() -> bool:
        return (await read(database, job_id)).state.is_final

    await until(is_final)
    return await read(database, job_id)


def engine_for(database: Database, folder: Path) -> DBOSEngine:
    """The real engine: a file for SQLite, a schema in the state database for PostgreSQL."""
    if database.engine_name == "sqlite":
        return DBOSEngine(f"sqlite:///{folder}/jobs.db")
    return DBOSEngine(database.url.render_as_string(hide_password=False))


@pytest.fixture
def state_url(engine_name: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty store: durable work stands on its own tables only."""
    if engine_name == "sqlite":
        yield f"sqlite:///{tmp_path}/state.db"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
async def store(database: Database) -> Database:
    """The fresh state store with the job tables."""
    await create_job_tables(database)
    return database


StartWorker = Callable[..., Awaitable[Worker]]


@pytest.fixture
async def start_worker(store: Database, tmp_path: Path) -> AsyncIterator[StartWorker]:
    """`await start_worker(tasks, **options)`: a started worker on the real engine."""
    started: list[Worker] = []

    async def start(tasks: jobs.Tasks, **options: Any) -> Worker:
        worker = Worker(store, jobs.Jobs(tasks), engine_for(store, tmp_path), **options)
        await worker.start()
        started.append(worker)
        return worker

    yield start
    for worker in started:
        await worker.stop(grace_seconds=0)
