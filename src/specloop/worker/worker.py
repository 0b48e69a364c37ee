"""Starts and stops what runs jobs: the engine, the dispatcher, its leases, and the ear for other processes' jobs.

Knows no job by name. The same class serves the embedded server (all roles in one process) and a worker role.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from specloop.db.database import Database
from specloop.jobs.dispatcher import LEASE_SECONDS, POLL_SECONDS, Dispatcher
from specloop.jobs.engine import Engine
from specloop.jobs.model import DEFAULT_SLOTS, Lane
from specloop.jobs.registry import Jobs
from specloop.jobs.runner import Runner
from specloop.kit.clock import Clock, SystemClock
from specloop.worker.ear import listen

GRACE_SECONDS = 10.0


class Worker:
    """Runs the jobs of `database` between `start` and `stop`. `services` reach each job as `job.services`."""

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        engine: Engine,
        *,
        services: Mapping[str, Any] | None = None,
        clock: Clock | None = None,
        slots: Mapping[Lane, int] = DEFAULT_SLOTS,
        lease_seconds: float = LEASE_SECONDS,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        clock = clock or SystemClock()
        self._database = database
        self.engine = engine
        self._runner = Runner(database, jobs, engine, clock, services or {})
        self.dispatcher = Dispatcher(
            database, jobs, self._runner, clock, slots=slots, lease_seconds=lease_seconds, poll_seconds=poll_seconds
        )
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Open the engine, take back what a killed predecessor held, and begin to work."""
        await self.engine.start()
        await self._runner.sweep()
        await self.dispatcher.begin()
        self._loops = [
            asyncio.create_task(self.dispatcher.serve(), name="jobs-dispatcher"),
            asyncio.create_task(self.dispatcher.keep_leases(), name="jobs-leases"),
            asyncio.create_task(listen(self._database), name="jobs-ear"),
        ]

    async def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """Take no more jobs and give the running ones `grace_seconds`; the rest resume at the next start."""
        await self.dispatcher.drain(grace_seconds)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.engine.stop()
