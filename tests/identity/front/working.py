"""A worker that runs the jobs of identity."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from specloop.jobs import Jobs
from specloop.jobs.dbos_engine import DBOSEngine
from specloop.worker import Worker
from tests.identity.front.program import Program


@asynccontextmanager
async def working(program: Program, folder: Path) -> AsyncGenerator[Worker]:
    """A worker on the program's store, with the program's clock."""
    database = program.database
    url = database.url.render_as_string(hide_password=False)
    engine = DBOSEngine(f"sqlite:///{folder}/jobs.db" if database.engine_name == "sqlite" else url)
    worker = Worker(database, Jobs(*program.identity.tasks), engine, clock=program.clock, poll_seconds=0.1)
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop(grace_seconds=0)
