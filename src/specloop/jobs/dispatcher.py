"""Hands committed jobs to the engine: fires schedules, takes back what dead workers held, claims, keeps leases.

A tick does all of it once and can be called by hand, as simulations do; `serve` ticks when the doorbell rings, when
something falls due, and every few seconds in case a ring was lost.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from specloop.db.database import Database
from specloop.db.uow import UnitOfWork
from specloop.jobs import repository, schedules
from specloop.jobs.doorbell import doorbell_of
from specloop.jobs.model import DEFAULT_SLOTS, Claim, Lane
from specloop.jobs.registry import Jobs
from specloop.jobs.runner import Attempt, Runner
from specloop.kit.clock import Clock
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

log = get_logger(__name__)
POLL_SECONDS = 5.0
LEASE_SECONDS = 30.0
RENEWALS_PER_LEASE = 3


class Dispatcher:
    """Chooses what this worker runs."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        runner: Runner,
        clock: Clock,
        *,
        slots: Mapping[Lane, int] = DEFAULT_SLOTS,
        lease_seconds: float = LEASE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self.worker_id = new_id()
        self._database = database
        self._jobs = jobs
        self._runner = runner
        self._clock = clock
        self._slots = slots
        self._lease = timedelta(seconds=lease_seconds)
        self._poll_seconds = poll_seconds
        self._bell = doorbell_of(database.writer_engine.sync_engine).subscribe()
        self._running: dict[Attempt, asyncio.Task[None]] = {}
        self._served: dict[str, float] = {}
        self._is_accepting = True

    @property
    def attempts(self) -> list[Attempt]:
        """What is running here now."""
        return list(self._running)

    async def begin(self) -> None:
        """Install the schedules of the code. On SQLite one process owns the store, so every open lease is stale."""
        now = self._clock.now()
        async with self._database.writing() as uow:
            await schedules.install_built_in(uow, self._jobs.schedules, now)
            if self._database.engine_name == "sqlite":
                self._report(await repository.release_lost(uow.session, now, is_everything_lost=True))

    async def serve(self) -> None:
        """Tick until cancelled."""
        while True:
            self._bell.clear()
            seconds = self._poll_seconds
            try:
                await self.tick()
                seconds = await self._seconds_to_next()
            except Exception:  # a database that is down for a while must not end the dispatcher
                log.exception("jobs.tick_failed")
            # Not `wait_for`: on Python 3.11 it swallows a cancellation that comes together with the ring.
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._bell.wait()

    async def tick(self) -> None:
        """Keep leases, pass on cancellations, fire schedules, take back lost jobs, start due ones."""
        now = self._clock.now()
        await self._pass_on_cancellations()
        if not self._is_accepting or not await self._has_work(now):
            return
        async with self._database.writing() as uow:
            await schedules.fire_due(uow, now)
            self._report(await repository.release_lost(uow.session, now, is_everything_lost=False))
            claims = [claim for lane in self._slots for claim in await self._claim(uow, lane, now)]
        for claim in claims:
            self._start(claim)

    async def renew_leases(self) -> None:
        """Keep what runs here; interrupt what was given to another worker meanwhile."""
        if not self._running:
            return
        attempts = self.attempts
        async with self._database.writing() as uow:
            until = self._clock.now() + self._lease
            held = await repository.renew(uow.session, [attempt.claim for attempt in attempts], until)
        for attempt in attempts:
            if attempt.claim.job_id not in held:
                attempt.interrupt()

    async def keep_leases(self) -> None:
        """Renew until cancelled."""
        while True:
            await asyncio.sleep(self._lease.total_seconds() / RENEWALS_PER_LEASE)
            try:
                await self.renew_leases()
            except Exception:  # the next renewal may still be in time
                log.exception("jobs.renewal_failed")

    async def drain(self, grace_seconds: float) -> None:
        """Take no more jobs, let the running ones end within the grace, hand the rest back to be resumed."""
        self._is_accepting = False
        if self._running:
            await asyncio.wait(self._running.values(), timeout=grace_seconds)
        for attempt in self.attempts:
            attempt.interrupt()
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing runs here."""
        if self._running:
            await asyncio.wait(self._running.values())

    async def _has_work(self, now: datetime) -> bool:
        async with self._database.reading() as uow:
            slot = await repository.next_slot_at(uow.session)
            is_slot_due = slot is not None and slot <= now
            return is_slot_due or await repository.has_work(uow.session, self._jobs.names, now)

    async def _seconds_to_next(self) -> float:
        async with self._database.reading() as uow:
            moments = [await repository.next_slot_at(uow.session), await repository.next_run_at(uow.session)]
        now = self._clock.now()
        # What is due already but was not claimed waits for a slot, and the end of a job rings.
        waits = [(moment - now).total_seconds() for moment in moments if moment is not None and moment > now]
        return min([self._poll_seconds, *waits])

    async def _claim(self, uow: UnitOfWork, lane: Lane, now: datetime) -> list[Claim]:
        busy = Counter(attempt.claim.queue for attempt in self._running)
        free = self._slots[lane] - busy[lane]
        if free <= 0:
            return []
        return await repository.claim(
            uow.session,
            lane,
            self._jobs.names,
            limit=free,
            served=self._served,
            worker_id=self.worker_id,
            now=now,
            lease_until=now + self._lease,
        )

    def _start(self, claim: Claim) -> None:
        log.info("job.started", job=claim.name, job_id=claim.job_id, attempt=claim.attempt)
        self._served[claim.principal.workspace_id or ""] = self._clock.monotonic()
        attempt = Attempt(claim)
        task = asyncio.create_task(self._runner.run(attempt), name=f"job-{claim.workflow_id}")
        self._running[attempt] = task
        task.add_done_callback(lambda done: self._ended(attempt, done))

    def _ended(self, attempt: Attempt, task: asyncio.Task[None]) -> None:
        del self._running[attempt]
        self._bell.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease runs out, then somebody resumes it.
            log.error("job.abandoned", job_id=attempt.claim.job_id, exc_info=error)

    async def _pass_on_cancellations(self) -> None:
        if not self._running:
            return
        async with self._database.reading() as uow:
            ids = await repository.cancel_requests(uow.session, [item.claim.job_id for item in self._running])
        for attempt in self.attempts:
            if attempt.claim.job_id in ids:
                attempt.request_cancel()

    def _report(self, job_ids: list[str]) -> None:
        for job_id in job_ids:
            log.warning("job.lost", job_id=job_id)
