"""The housekeeping of durable work itself: jobs that ended long ago are deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from specloop.jobs import repository
from specloop.jobs.context import JobContext
from specloop.jobs.registry import Tasks

KEPT_DAYS = 30
tasks = Tasks()


@tasks.scheduled("jobs.purge", cron="17 3 * * *")
async def purge(job: JobContext, payload: dict[str, Any]) -> None:
    """Delete jobs, with their steps, that ended more than `KEPT_DAYS` days ago. Their keys can then be used again."""
    async with job.writing() as ctx:
        await repository.delete_finished(ctx.session, job.clock.now() - timedelta(days=KEPT_DAYS))
