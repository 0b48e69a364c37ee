"""Schedules: one job per slot however many workers look, missed slots once, users' schedules as the code's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from specloop import jobs
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.errors import ValidationFailed
from specloop.jobs.dispatcher import Dispatcher
from specloop.jobs.runner import Runner
from specloop.jobs.tables import JobRow, JobScheduleRow
from specloop.jobs.tasks import tasks as purge_tasks
from specloop.testing.clock import FakeClock
from specloop.testing.jobs import MemoryEngine
from tests.jobs.conftest import ALICE


class Station:
    """Two dispatchers on one store and one clock."""

    def __init__(self, store: Database, cron: str = "0 * * * *") -> None:
        self.store = store
        self.clock = FakeClock(datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
        self.slots: list[str] = []
        tasks = jobs.Tasks()

        @tasks.scheduled("expire", cron=cron)
        async def expire(job: jobs.JobContext, payload: dict[str, Any]) -> None:
            self.slots.append(payload["slot"])

        @tasks.job("report", queue="scan")
        async def report(job: jobs.JobContext, payload: dict[str, Any]) -> None:
            self.slots.append(f"{job.principal.workspace_id} {payload['kind']} {payload['slot']}")

        registry = jobs.Jobs(tasks)
        self.dispatchers = [
            Dispatcher(store, registry, Runner(store, registry, MemoryEngine(), self.clock, {}), self.clock)
            for _ in range(2)
        ]

    async def turn(self) -> None:
        """Let both look and finish what they found."""
        for dispatcher in self.dispatchers:
            await dispatcher.tick()
        for dispatcher in self.dispatchers:
            await dispatcher.settled()


async def test_a_slot_fires_once_for_all_workers_and_not_before_its_time(store: Database) -> None:
    station = Station(store)
    for dispatcher in station.dispatchers:
        await dispatcher.begin()
    await station.turn()
    assert station.slots == []
    station.clock.advance(1800)
    await station.turn()
    await station.turn()
    assert station.slots == ["2026-01-01T01:00:00.000000Z"]


async def test_slots_missed_while_nothing_ran_fire_once_together(store: Database) -> None:
    station = Station(store)
    await station.dispatchers[0].begin()
    station.clock.advance(5 * 3600)
    await station.turn()
    assert station.slots == ["2026-01-01T01:00:00.000000Z"]
    station.clock.advance(1800)
    await station.turn()
    assert station.slots[1:] == ["2026-01-01T06:00:00.000000Z"]


async def test_a_schedule_that_the_code_changed_or_dropped_follows_it_at_the_next_start(store: Database) -> None:
    await Station(store).dispatchers[0].begin()
    changed = Station(store, "15 * * * *")
    await changed.dispatchers[0].begin()
    async with store.reading() as uow:
        row = await uow.session.get(JobScheduleRow, "expire")
    assert row is not None
    assert row.next_at == datetime(2026, 1, 1, 1, 15, tzinfo=UTC)
    registry = jobs.Jobs()
    empty = Dispatcher(store, registry, Runner(store, registry, MemoryEngine(), changed.clock, {}), changed.clock)
    await empty.begin()
    async with store.reading() as uow:
        assert await uow.session.get(JobScheduleRow, "expire") is None


async def test_a_users_schedule_runs_as_its_user_until_it_is_deleted(store: Database) -> None:
    station = Station(store)
    async with store.writing() as uow:
        ctx = Context(ALICE, uow, station.clock)
        first = await jobs.put_schedule(
            ctx, "ws-1/weekly", cron="0 1 * * *", job_name="report", queue="scan", payload={"kind": "x"}
        )
    assert first == datetime(2026, 1, 1, 1, 0, tzinfo=UTC)
    station.clock.advance(3600)
    await station.turn()
    assert station.slots == ["ws-1 x 2026-01-01T01:00:00.000000Z"]
    async with store.writing() as uow:
        await jobs.delete_schedule(Context(ALICE, uow, station.clock), "ws-1/weekly")
    station.clock.advance(24 * 3600)
    await station.turn()
    assert len(station.slots) == 1
    async with store.reading() as uow:
        assert list(await uow.session.scalars(select(JobRow.tenant_workspace_id))) == ["ws-1"]


async def test_a_bad_schedule_is_refused_in_the_callers_words(store: Database) -> None:
    async with store.writing() as uow:
        with pytest.raises(ValidationFailed):
            await jobs.put_schedule(
                Context(ALICE, uow), "bad", cron="61 * * * *", job_name="x", queue="scan", payload={}
            )


async def test_jobs_that_ended_long_ago_are_deleted_every_night(store: Database) -> None:
    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    registry = jobs.Jobs(purge_tasks)
    dispatcher = Dispatcher(store, registry, Runner(store, registry, MemoryEngine(), clock, {}), clock)
    await dispatcher.begin()
    async with store.writing() as uow:
        old = await jobs.enqueue(Context(ALICE, uow, clock), "old", {}, queue="scan")
        waiting = await jobs.enqueue(Context(ALICE, uow, clock), "waiting", {}, queue="scan")
        await jobs.cancel(Context(ALICE, uow, clock), old)
    clock.advance(31 * 86_400)
    async with store.writing() as uow:
        recent = await jobs.enqueue(Context(ALICE, uow, clock), "recent", {}, queue="scan")
        await jobs.cancel(Context(ALICE, uow, clock), recent)
    await dispatcher.tick()
    await dispatcher.settled()
    async with store.reading() as uow:
        left = set(await uow.session.scalars(select(JobRow.id).where(JobRow.name != "jobs.purge")))
    assert left == {waiting, recent}
