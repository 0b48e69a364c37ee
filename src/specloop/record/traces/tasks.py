"""Durable jobs of traces."""

from __future__ import annotations

from typing import Any

from specloop.errors import SpecloopError
from specloop.jobs import JobContext, Tasks
from specloop.record.traces.service.export import JOB, TraceExports
from specloop.record.traces.service.opinions import TraceRemoval

tasks = Tasks()


@tasks.job(JOB, queue="maintenance")
async def write_export(job: JobContext, payload: dict[str, Any]) -> None:
    """Write the file of an export; what is expected to go wrong ends in its `problem`."""
    exports: TraceExports = job.services["TraceExports"]
    try:
        await exports.run(job, payload["export_id"])
    except SpecloopError as error:
        if error.status >= 500:
            raise
        await exports.fail(job, payload["export_id"], error.detail)


@tasks.scheduled("traces.purge", cron="23 3 * * *")
async def purge_deleted(job: JobContext, payload: dict[str, Any]) -> None:
    """Take deleted spans off the disk."""
    removal: TraceRemoval = job.services["TraceRemoval"]
    await removal.purge()
