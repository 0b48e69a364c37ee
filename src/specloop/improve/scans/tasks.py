"""The durable job of scans."""

from __future__ import annotations

from typing import Any

from specloop.improve.scans.runner.runner import ScanRunner
from specloop.improve.scans.service.lifecycle import JOB
from specloop.jobs import JobContext, Lane, Tasks

tasks = Tasks()


@tasks.job(JOB, queue=Lane.SCAN)
async def run_scan(job: JobContext, payload: dict[str, Any]) -> None:
    """Bring a scan to its end, or to where it was paused."""
    runner: ScanRunner = job.services["ScanRunner"]
    await runner.run(job, payload["scan_id"])
