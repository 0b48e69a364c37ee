"""A worker program to be killed: `python -m tests.jobs.killed_worker STATE_URL FOLDER`.

Its job leaves a mark for each step, outside the store (a line in `journal`) or inside it (a row in `effects`).
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import text

from specloop import jobs
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.kit.log import configure
from specloop.worker import Worker
from tests.jobs.conftest import engine_for

LEASE_SECONDS = 0.6


async def _insert(ctx: Context, number: int) -> int:
    await ctx.session.execute(text("INSERT INTO effects (n) VALUES (:n)"), {"n": number})
    return number


async def serve(state_url: str, folder: Path) -> None:
    """Work until killed."""
    tasks = jobs.Tasks()

    async def write_line(number: int) -> int:
        with (folder / "journal").open("a") as journal:
            journal.write(f"{number}\n")
            journal.flush()
            os.fsync(journal.fileno())
        return number

    @tasks.job("marks", queue="scan")
    async def marks(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        for number in range(payload["count"]):
            assert await job.step("line", write_line, number) == number
            assert await job.transaction("row", _insert, number) == number
            await job.progress(number + 1, payload["count"])

    database = await Database.open(state_url)
    worker = Worker(database, jobs.Jobs(tasks), engine_for(database, folder), lease_seconds=LEASE_SECONDS)
    await worker.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    configure("json")
    asyncio.run(serve(sys.argv[1], Path(sys.argv[2])))
