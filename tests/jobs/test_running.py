"""Jobs through their front door on the real engine and both stores: they run with the transaction, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from specloop import jobs
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.errors import BusinessRule
from specloop.jobs.tables import JobStepRow
from specloop.kit.context import Principal
from tests.jobs.conftest import ALICE, StartWorker, acting, ended, enqueue, read


async def test_a_committed_job_runs_with_its_payload_for_its_principal(
    store: Database, start_worker: StartWorker
) -> None:
    seen: list[tuple[Principal, dict[str, Any], int]] = []
    tasks = jobs.Tasks()

    @tasks.job("note", queue="interactive")
    async def note(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        seen.append((job.principal, payload, job.attempt))

    await start_worker(tasks)
    job = await ended(store, await enqueue(store, "note", {"n": [1, {"deep": "ü"}]}, queue="interactive"))
    assert (job.state, job.attempts, job.error) == (jobs.JobState.SUCCEEDED, 1, None)
    assert seen == [(ALICE, {"n": [1, {"deep": "ü"}]}, 1)]
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at <= job.finished_at
