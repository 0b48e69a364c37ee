"""Schedules: rows that say when to enqueue a job again. One row per schedule, so users can have theirs.

A slot fires once however many workers look: the outbox key names the slot. Slots missed while nothing ran fire once,
not once each.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.db.uow import UnitOfWork
from specloop.errors import ValidationFailed
from specloop.jobs import repository
from specloop.jobs.cron import parse_cron
from specloop.jobs.model import Lane
from specloop.jobs.registry import Schedule
from specloop.kit.clock import format_time
from specloop.kit.context import system_principal
from specloop.kit.ids import new_id

PROGRAM = system_principal("", None, frozenset())


async def put_schedule(
    ctx: Context, name: str, *, cron: str, job_name: str, queue: Lane | str, payload: dict[str, Any], zone: str = "UTC"
) -> datetime:
    """Make or replace a schedule that enqueues `job_name` as the caller. Returns its first slot.

    `name` must be unique in the program: start it with the id of what it belongs to.
    Raises: ValidationFailed for a bad expression or zone.
    """
    try:
        next_at = parse_cron(cron, zone).next_after(ctx.clock.now())
    except ValueError as error:
        raise ValidationFailed.of(["body", "cron"], str(error)) from error
    schedule = Schedule(name, cron, zone, job_name, Lane(queue), is_built_in=False)
    await repository.upsert_schedule(ctx.session, schedule, payload=payload, principal=ctx.principal, next_at=next_at)
    return next_at


async def delete_schedule(ctx: Context, name: str) -> None:
    """Forget a schedule; what it has enqueued stays."""
    await repository.delete_schedule(ctx.session, name)


async def install_built_in(uow: UnitOfWork, schedules: Iterable[Schedule], now: datetime) -> None:
    """Make the rows of the schedules in the code, keep the slots of unchanged ones, drop those no longer there."""
    wanted = {schedule.name: schedule for schedule in schedules}
    standing = await repository.built_in_schedules(uow.session)
    for name in standing.keys() - wanted.keys():
        await repository.delete_schedule(uow.session, name)
    for name, schedule in wanted.items():
        if standing.get(name) != (schedule.cron, schedule.zone):
            next_at = parse_cron(schedule.cron, schedule.zone).next_after(now)
            await repository.upsert_schedule(uow.session, schedule, payload={}, principal=PROGRAM, next_at=next_at)


async def fire_due(uow: UnitOfWork, now: datetime) -> int:
    """Enqueue a job for each schedule whose slot has come and move it to its next one. Returns how many."""
    due = await repository.due_slots(uow.session, now)
    for slot in due:
        at = format_time(slot.at)
        job = repository.NewJob(
            id=new_id(),
            name=slot.job_name,
            queue=slot.queue,
            payload={**slot.payload, "slot": at},
            principal=slot.principal,
            dedupe_key=f"schedule:{slot.name}:{at}",
            created_at=now,
            run_at=now,
        )
        await repository.insert_job(uow.session, job)
        await repository.advance_schedule(uow.session, slot, parse_cron(slot.cron, slot.zone).next_after(now))
    return len(due)
