"""Runs one claimed attempt from start to its outcome. Does not choose what to run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from specloop.db.database import Database
from specloop.errors import RateLimited, SpecloopError
from specloop.jobs import repository
from specloop.jobs.context import JobContext, progress_values
from specloop.jobs.engine import Engine
from specloop.jobs.errors import JobCancelled, LeaseLost
from specloop.jobs.model import Claim, JobError, JobState, job_id_of, retry_delay_seconds, workflow_id
from specloop.jobs.registry import Jobs
from specloop.kit.clock import Clock
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

log = get_logger(__name__)


@dataclass(slots=True, eq=False)
class Attempt:
    """A claim that is being run here. `task` is the task's own code, once it has begun."""

    claim: Claim
    context: JobContext | None = None
    task: asyncio.Task[Any] | None = None
    is_stopping: bool = False
    outcome: dict[str, Any] | None = None

    def request_cancel(self) -> None:
        """Let the job stop at its next check."""
        if self.context is not None:
            self.context.cancelled = True

    def interrupt(self) -> None:
        """End the task's code now, without an outcome: it will be resumed."""
        self.is_stopping = True
        if self.task is not None:
            self.task.cancel()


class Runner:
    """Turns claims into outcomes."""

    def __init__(
        self, database: Database, jobs: Jobs, engine: Engine, clock: Clock, services: Mapping[str, Any]
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._engine = engine
        self._clock = clock
        self._services = services

    async def run(self, attempt: Attempt) -> None:
        """Run the attempt and write its outcome. Raises nothing that a job does."""
        claim = attempt.claim
        finished = await self._finished_steps(claim)
        if finished is None:
            return
        job = JobContext(claim, self._database, self._engine, self._clock, self._services, finished)
        attempt.context = job
        await self._engine.run(claim.workflow_id, lambda: self._body(attempt, job))
        is_final = await self._settle(attempt)
        if is_final:
            await self._engine.forget([workflow_id(claim.job_id, number + 1) for number in range(claim.attempt)])

    async def sweep(self) -> None:
        """Drop records of jobs that are over, which a kill between the end and the dropping left behind."""
        known = await self._engine.known()
        async with self._database.reading() as uow:
            over = await repository.final_ids(uow.session, sorted({job_id_of(attempt) for attempt in known}))
        stale = [attempt for attempt in known if job_id_of(attempt) in over]
        if stale:
            await self._engine.forget(stale)

    async def _finished_steps(self, claim: Claim) -> Mapping[str, Any] | None:
        if claim.attempt == 1:
            return {}
        recorded = await self._engine.recorded(workflow_id(claim.job_id, n) for n in range(1, claim.attempt))
        async with self._database.writing() as uow:
            finished = {**recorded, **await repository.step_results(uow.session, claim.job_id)}
            is_held = await repository.note_steps_seen(uow.session, claim, len(finished))
        log.info("job.resumed", job=claim.name, job_id=claim.job_id, attempt=claim.attempt, steps=len(finished))
        return finished if is_held else None

    async def _body(self, attempt: Attempt, job: JobContext) -> None:
        attempt.task = asyncio.current_task()
        try:
            if not attempt.is_stopping:
                await self._jobs.task(attempt.claim.name).run(job, attempt.claim.payload)
                attempt.outcome = {"state": JobState.SUCCEEDED.value}
        except asyncio.CancelledError:
            if not attempt.is_stopping:
                raise
        except LeaseLost:
            log.warning("job.lease_lost", job=attempt.claim.name, job_id=attempt.claim.job_id)
        except JobCancelled:
            attempt.outcome = {"state": JobState.CANCELLED.value}
        except Exception as error:  # the outermost loop of a job: whatever its code raises is its outcome
            attempt.outcome = self._failure(attempt.claim, error)

    def _failure(self, claim: Claim, error: Exception) -> dict[str, Any]:
        failures = claim.failures + 1
        reason = self._reason(claim, error)
        if reason.incident is None or failures >= self._jobs.task(claim.name).failures_max:
            outcome: dict[str, Any] = {"state": JobState.FAILED.value}
        else:
            delay = timedelta(seconds=retry_delay_seconds(failures))
            outcome = {"state": JobState.QUEUED.value, "run_at": self._clock.now() + delay}
        return {
            **outcome,
            "failures": failures,
            "error_code": reason.code,
            "error_detail": reason.detail,
            "error_incident": reason.incident,
        }

    def _reason(self, claim: Claim, error: Exception) -> JobError:
        # An expected error says what the user must change, so trying again is in vain; others may pass by themselves.
        if isinstance(error, SpecloopError) and error.status < 500 and not isinstance(error, RateLimited):
            log.info("job.refused", job=claim.name, job_id=claim.job_id, code=error.code)
            return JobError(error.code, error.detail)
        incident = new_id()
        log.error(
            "job.attempt_failed",
            job=claim.name,
            job_id=claim.job_id,
            attempt=claim.attempt,
            incident=incident,
            exc_info=error,
        )
        if isinstance(error, SpecloopError):
            return JobError(error.code, error.detail, incident)
        return JobError("internal", "The job ended with an unexpected error", incident)

    async def _settle(self, attempt: Attempt) -> bool:
        values = attempt.outcome
        if values is None:
            if attempt.is_stopping:
                await self._hand_back(attempt.claim)
            return False
        is_final = JobState(values["state"]).is_final
        values = {**values, "worker_id": None, "lease_until": None}
        if is_final:
            values["finished_at"] = self._clock.now()
        if values["state"] == JobState.SUCCEEDED.value:
            values |= {"error_code": None, "error_detail": None, "error_incident": None}
        if attempt.context is not None and attempt.context.last_progress is not None:
            values |= progress_values(attempt.context.last_progress)
        async with self._database.writing() as uow:
            is_held = await repository.update_held(uow.session, attempt.claim, **values)
        log.info("job.settled", job=attempt.claim.name, job_id=attempt.claim.job_id, state=values["state"])
        return is_held and is_final

    async def _hand_back(self, claim: Claim) -> None:
        values = {"state": JobState.QUEUED.value, "run_at": self._clock.now(), "worker_id": None, "lease_until": None}
        async with self._database.writing() as uow:
            await repository.update_held(uow.session, claim, **values)
