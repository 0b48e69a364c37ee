"""The schedule of the sweep, in the quiet of the night and before deleted spans are purged."""

from __future__ import annotations

from typing import Any

from specloop.identity.workspaces.keeping.sweep import Keeping
from specloop.jobs import JobContext, Tasks

SWEEP_JOB = "retention.sweep"


def keeping_tasks(keeping: Keeping) -> Tasks:
    """A kill in the middle is made good by the next attempt."""
    tasks = Tasks()

    @tasks.scheduled(SWEEP_JOB, cron="47 2 * * *")
    async def sweep(job: JobContext, payload: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]
        del job, payload
        await keeping.sweep_all()

    return tasks
