"""Durable jobs of traces."""

from __future__ import annotations

from typing import Any

from specloop.db.telemetry import TelemetryQueryFailed
from specloop.errors import SpecloopError
from specloop.jobs import JobCancelled, JobContext, LeaseLost, Tasks
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger
from specloop.record.traces.service.export import JOB, TraceExports
from specloop.record.traces.service.opinions import TraceRemoval

ATTEMPTS_MAX = 3
LIMITS = frozenset({159, 160, 241})
"""ClickHouse's codes for statements that take too long or too much memory."""

log = get_logger(__name__)
tasks = Tasks()


@tasks.job(JOB, queue="maintenance", failures_max=ATTEMPTS_MAX)
async def write_export(job: JobContext, payload: dict[str, Any]) -> None:
    """Write the file of an export; what goes wrong for good ends in its `problem`."""
    exports: TraceExports = job.services["TraceExports"]
    try:
        await exports.run(job, payload["export_id"])
    except (JobCancelled, LeaseLost):
        raise
    except Exception as error:  # whatever goes wrong, an export must not stay `queued` for ever
        # Attempts that were killed count here, though not in the job's own failures: the last one is never missed.
        if _may_pass(error) and job.attempt < ATTEMPTS_MAX:
            raise
        await exports.fail(job, payload["export_id"], _problem(job, payload["export_id"], error))


def _may_pass(error: Exception) -> bool:
    """Whether another attempt may succeed. A statement that was refused or too large is so again."""
    if isinstance(error, TelemetryQueryFailed):
        return False
    return not isinstance(error, SpecloopError) or error.status >= 500


def _problem(job: JobContext, export_id: str, error: Exception) -> str:
    """What whoever asked for the export is told; the rest is in the log."""
    if isinstance(error, SpecloopError) and error.status < 500:
        return error.detail
    incident = new_id()
    log.error("export.failed", incident=incident, export_id=export_id, job_id=job.job_id, exc_info=error)
    if isinstance(error, TelemetryQueryFailed) and error.engine_code in LIMITS:
        return "These are too many spans to read at once: narrow the filter"
    if isinstance(error, SpecloopError) and not isinstance(error, TelemetryQueryFailed):
        return error.detail
    return f"The file could not be written. Incident {incident}"


@tasks.scheduled("traces.purge", cron="23 3 * * *")
async def purge_deleted(job: JobContext, payload: dict[str, Any]) -> None:
    """Take deleted spans off the disk."""
    removal: TraceRemoval = job.services["TraceRemoval"]
    await removal.purge()
