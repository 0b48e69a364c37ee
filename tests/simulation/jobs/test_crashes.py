"""A seeded simulation: workers are killed between any two traces they leave, jobs fail, others cancel. Laws must hold.

The store is real, the engine's record is in memory, time stands still between the turns.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select, text

from specloop import jobs
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.errors import InvalidTransition
from specloop.jobs.dispatcher import Dispatcher
from specloop.jobs.model import DEFAULT_SLOTS, FAILURES_MAX, LOSSES_MAX, Lane
from specloop.jobs.runner import Runner
from specloop.jobs.tables import JobRow
from specloop.testing.clock import FakeClock
from specloop.testing.jobs import Fuse, FusedDatabase, Killed, MemoryEngine
from tests.jobs.conftest import ALICE, BOB

SEEDS = range(10)
LEASE_SECONDS = 30.0
TURNS_MAX = 400
SLOTS = sum(DEFAULT_SLOTS.values())
ACCIDENTS_MAX = FAILURES_MAX - 1


class Accident(RuntimeError):
    """What simulated jobs fail with, now and then."""


class World:
    """The store, the clock, and what was seen from outside."""

    def __init__(self, seed: int, database: Database) -> None:
        self.chance = random.Random(seed)
        self.database = database
        self.clock = FakeClock()
        self.record: dict[str, dict[str, Any]] = {}
        self.journal: list[tuple[str, int]] = []
        self.cancelled_at: dict[str, int] = {}
        self.asked: list[str] = []
        self.accidents: Counter[str] = Counter()
        self.kills = 0

    def tasks(self) -> jobs.Tasks:
        """Jobs of random steps: outside effects, transactions, children, accidents, cancellations of others."""
        tasks = jobs.Tasks()

        @tasks.job("walk", queue="scan")
        async def walk(job: jobs.JobContext, payload: dict[str, Any]) -> None:
            for number, kind in enumerate(payload["steps"]):
                await job.check_cancelled()
                if kind == "transaction":
                    await job.transaction("row", self.insert, job.job_id, number)
                elif kind == "child":
                    await job.transaction("child", self.ask_child)
                else:
                    await job.step("outside", self.outside, job.job_id, number)
                if kind == "accident" and self.accidents[job.job_id] < ACCIDENTS_MAX:
                    self.accidents[job.job_id] += 1
                    raise Accident

        return tasks

    async def insert(self, ctx: Context, job_id: str, number: int) -> None:
        """An effect inside the store."""
        await ctx.session.execute(text("INSERT INTO effects VALUES (:j, :n)"), {"j": job_id, "n": number})

    async def ask_child(self, ctx: Context) -> str:
        """A job asked for by a job."""
        return await jobs.enqueue(ctx, "walk", {"steps": ["outside", "transaction"]}, queue="interactive")

    async def outside(self, job_id: str, number: int) -> None:
        """An effect outside the store; sometimes somebody cancels a job meanwhile."""
        self.journal.append((job_id, number))
        if self.chance.random() < 0.04:
            await self.cancel_one()

    async def cancel_one(self) -> None:
        """Cancel any job, as another process would."""
        async with self.database.reading() as uow:
            rows = (await uow.session.execute(select(JobRow.id, JobRow.tenant_workspace_id).order_by(JobRow.id))).all()
        job_id, workspace_id = self.chance.choice(rows)
        principal = ALICE if workspace_id == ALICE.workspace_id else BOB
        try:
            async with self.database.writing() as uow:
                await jobs.cancel(Context(principal, uow, self.clock), job_id)
        except InvalidTransition:
            return
        self.cancelled_at.setdefault(job_id, len(self.journal))

    async def ask(self) -> None:
        """Ask for some jobs; every third transaction rolls back."""
        for turn in range(12):
            kinds = ["outside", "transaction", "transaction", "child", "accident"]
            steps = self.chance.choices(kinds, k=self.chance.randint(1, 6))
            principal = self.chance.choice([ALICE, BOB])
            try:
                async with self.database.writing() as uow:
                    ctx = Context(principal, uow, self.clock)
                    job_id = await jobs.enqueue(ctx, "walk", {"steps": steps}, queue=self.chance.choice(list(Lane)))
                    if turn % 3 == 2:
                        raise Accident
                self.asked.append(job_id)
            except Accident:
                continue

    async def live(self, fuse: Fuse) -> None:
        """One worker from its start to its end: idle, or killed."""
        database = FusedDatabase(self.database, fuse)
        registry = jobs.Jobs(self.tasks())
        runner = Runner(database, registry, MemoryEngine(self.record, fuse), self.clock, {})
        dispatcher = Dispatcher(database, registry, runner, self.clock, lease_seconds=LEASE_SECONDS)
        try:
            await runner.sweep()
            await dispatcher.begin()
            for _ in range(self.chance.randint(1, 6)):
                await dispatcher.tick()
                await dispatcher.settled()
                await dispatcher.renew_leases()
                self.clock.advance(self.chance.choice([0.5, 5.0, 20.0]))
        except Killed:
            self.kills += 1
        finally:
            fuse.is_blown = True
            for attempt in dispatcher.attempts:
                attempt.interrupt()
            await dispatcher.settled()

    async def is_quiet(self) -> bool:
        """Whether every job is over."""
        async with self.database.reading() as uow:
            open_states = (jobs.JobState.QUEUED.value, jobs.JobState.RUNNING.value)
            return await uow.session.scalar(select(JobRow.id).where(JobRow.state.in_(open_states)).limit(1)) is None


@pytest.mark.parametrize("seed", SEEDS)
async def test_killed_workers_lose_no_job_and_double_no_transaction(store: Database, seed: int) -> None:
    world = World(seed, store)
    async with store.writing() as uow:
        await uow.session.execute(text("CREATE TABLE effects (job_id TEXT, n INTEGER)"))
    await world.ask()
    for turn in range(TURNS_MAX):
        if await world.is_quiet():
            break
        await world.live(Fuse(world.chance.randint(4, 250 + 20 * turn)))
        world.clock.advance(LEASE_SECONDS + 1)
    await world.live(Fuse())  # an undisturbed one sweeps up

    async with store.reading() as uow:
        rows = list(await uow.session.scalars(select(JobRow)))
        effects = Counter((row[0], row[1]) for row in await uow.session.execute(text("SELECT * FROM effects")))
    assert {row.id for row in rows if row.queue != "interactive"} <= set(world.asked)
    assert set(world.asked) <= {row.id for row in rows}
    assert world.kills > 0
    assert not effects or max(effects.values()) == 1
    seen = set(world.journal)
    for row in rows:
        kinds: list[str] = row.payload["steps"]
        steps = list(enumerate(kinds))
        if row.id not in world.cancelled_at:
            assert (row.state, row.error_code) == ("succeeded", None), row.name
        if row.state == "succeeded":
            assert all((row.id, n) in effects for n, kind in steps if kind == "transaction")
            assert all((row.id, n) in seen for n, kind in steps if kind in ("outside", "accident"))
    for job_id, position in world.cancelled_at.items():
        assert sum(1 for who, _ in world.journal[position:] if who == job_id) <= 1
    assert len(world.journal) - len(seen) <= world.kills * SLOTS  # only what was cut off is repeated
    assert world.record == {}


async def test_a_slow_worker_that_lost_its_lease_writes_nothing_more(store: Database) -> None:
    world = World(0, store)
    async with store.writing() as uow:
        await uow.session.execute(text("CREATE TABLE effects (job_id TEXT, n INTEGER)"))
    begun, gate = asyncio.Event(), asyncio.Event()
    tasks = jobs.Tasks()

    @tasks.job("slow", queue="scan")
    async def slow(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        if job.attempt == 1:
            begun.set()
            await gate.wait()
        await job.transaction(f"row {job.attempt}", world.insert, job.job_id, job.attempt)

    registry = jobs.Jobs(tasks)
    async with store.writing() as uow:
        job_id = await jobs.enqueue(Context(ALICE, uow, world.clock), "slow", {}, queue="scan")
    workers = [
        Dispatcher(store, registry, Runner(store, registry, MemoryEngine(world.record), world.clock, {}), world.clock)
        for _ in range(2)
    ]
    await workers[0].tick()
    await begun.wait()
    world.clock.advance(LEASE_SECONDS + 1)
    await workers[1].tick()
    await workers[1].settled()
    gate.set()
    await workers[0].settled()
    async with store.reading() as uow:
        effects = (await uow.session.execute(text("SELECT * FROM effects"))).all()
        row = await uow.session.get(JobRow, job_id)
    assert [tuple(effect) for effect in effects] == [(job_id, 2)]
    assert row is not None
    assert (row.state, row.attempts) == ("succeeded", 2)


async def test_a_job_that_kills_its_worker_every_time_ends_as_failed(store: Database) -> None:
    world = World(0, store)
    tasks = jobs.Tasks()

    @tasks.job("poison", queue="scan")
    async def poison(job: jobs.JobContext, payload: dict[str, Any]) -> None:
        raise Killed

    registry = jobs.Jobs(tasks)
    async with store.writing() as uow:
        job_id = await jobs.enqueue(Context(ALICE, uow, world.clock), "poison", {}, queue="scan")
    for _ in range(4 * LOSSES_MAX):
        runner = Runner(store, registry, MemoryEngine(world.record), world.clock, {})
        worker = Dispatcher(store, registry, runner, world.clock)
        await worker.tick()
        await worker.settled()
        world.clock.advance(LEASE_SECONDS + 1)
    async with store.reading() as uow:
        row = await uow.session.get(JobRow, job_id)
    assert row is not None
    assert (row.state, row.error_code, row.attempts) == ("failed", "worker-lost", LOSSES_MAX + 1)
