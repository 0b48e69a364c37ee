"""A worker that is killed at random moments: the job goes on at its last finished step and ends."""

from __future__ import annotations

import asyncio
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import text

from specloop import jobs
from specloop.db.database import Database
from tests.jobs.conftest import ended, enqueue, read

KILLS = 6
STEPS = 250


@asynccontextmanager
async def _worker(state_url: str, folder: Path) -> AsyncGenerator[None]:
    """A worker process that is ready, and is killed at the end of the block."""
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.jobs.killed_worker", state_url, str(folder)]
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=(folder / "log").open("ab"), cwd=root)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.kill()
        await process.wait()


async def test_a_killed_job_goes_on_at_its_last_finished_step(store: Database, state_url: str, tmp_path: Path) -> None:
    chance = random.Random(20260101)
    async with store.writing() as uow:
        await uow.session.execute(text("CREATE TABLE effects (n INTEGER)"))
    job_id = await enqueue(store, "marks", {"count": STEPS})
    kills_of_open_job = 0
    for _ in range(KILLS):
        async with _worker(state_url, tmp_path):
            await asyncio.sleep(chance.uniform(0.0, 0.9))  # the moment of the kill is what is being tested
        kills_of_open_job += not (await read(store, job_id)).state.is_final
    async with _worker(state_url, tmp_path):
        job = await ended(store, job_id)

    assert (job.state, job.error, job.progress.done) == (jobs.JobState.SUCCEEDED, None, STEPS)
    assert kills_of_open_job >= 3
    async with store.reading() as uow:
        rows = (await uow.session.execute(text("SELECT n FROM effects ORDER BY n"))).scalars().all()
    assert list(rows) == list(range(STEPS))  # a transaction step: exactly once
    lines = [int(line) for line in (tmp_path / "journal").read_text().split()]
    assert sorted(set(lines)) == list(range(STEPS))  # a plain step: at least once …
    assert lines == sorted(lines)  # … and only the one that was cut off is ever repeated
    assert len(lines) - STEPS <= KILLS
