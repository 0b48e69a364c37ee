"""All SQL of durable work. Callers' reads are filtered by workspace here; the dispatcher's see every workspace.

Every write of a worker names the attempt it was claimed with, so an attempt that lost its lease changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import CursorResult, Select, Update, delete, false, func, literal, or_, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from specloop.db.base import UTCDateTime
from specloop.jobs.model import (
    LOSSES_MAX,
    Claim,
    Job,
    JobError,
    JobState,
    Lane,
    Progress,
    Waiting,
    fair_order,
    loss_delay_seconds,
)
from specloop.jobs.registry import Schedule
from specloop.jobs.tables import JobRow, JobScheduleRow, JobStepRow
from specloop.kit.context import CredentialKind, Principal

POSTGRES_CHANNEL = "specloop_jobs"
CANDIDATES_MAX = 200


@dataclass(frozen=True, slots=True)
class NewJob:
    """What an outbox row is made of."""

    id: str
    name: str
    queue: Lane
    payload: dict[str, Any]
    principal: Principal
    dedupe_key: str | None
    created_at: datetime
    run_at: datetime


def principal_to_json(principal: Principal) -> dict[str, Any]:
    """The principal as kept with a job; scopes are those it had when it asked."""
    return {**asdict(principal), "scopes": sorted(principal.scopes), "kind": principal.kind.value}


def principal_from_json(document: dict[str, Any]) -> Principal:
    """The inverse of `principal_to_json`."""
    fields: dict[str, Any] = {
        **document,
        "scopes": frozenset(document["scopes"]),
        "kind": CredentialKind(document["kind"]),
    }
    return Principal(**fields)


async def insert_job(session: AsyncSession, job: NewJob) -> str:
    """Write the outbox row; with a `dedupe_key` that is taken, write nothing. Returns the id of the row that stands."""
    values = {
        "id": job.id,
        "name": job.name,
        "queue": job.queue.value,
        "payload": job.payload,
        "principal": principal_to_json(job.principal),
        "tenant_account_id": job.principal.account_id,
        "tenant_workspace_id": job.principal.workspace_id or "",
        "dedupe_key": job.dedupe_key,
        "state": JobState.QUEUED.value,
        "created_at": job.created_at,
        "run_at": job.run_at,
    }
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    insert = dialect.insert(JobRow).values(values).on_conflict_do_nothing(index_elements=["dedupe_key"])
    done = cast(CursorResult[Any], await session.execute(insert))
    if done.rowcount:
        return job.id
    standing = await session.scalar(select(JobRow.id).where(JobRow.dedupe_key == job.dedupe_key))
    return cast(str, standing)


async def announce(session: AsyncSession) -> None:
    """Tell dispatchers in other processes at commit (PostgreSQL only: on SQLite there are none)."""
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(text("SELECT pg_notify(:channel, '')"), {"channel": POSTGRES_CHANNEL})


def _visible(principal: Principal) -> Select[JobRow]:
    return select(JobRow).where(
        JobRow.tenant_account_id == principal.account_id,
        JobRow.tenant_workspace_id == (principal.workspace_id or ""),
    )


async def find_job(session: AsyncSession, principal: Principal, job_id: str) -> Job | None:
    """The job when it belongs to the caller's workspace."""
    row = await session.scalar(_visible(principal).where(JobRow.id == job_id))
    return None if row is None else to_job(row)


def jobs_query(principal: Principal, name: str | None, state: JobState | None) -> Select[JobRow]:
    """The caller's jobs, for paging."""
    query = _visible(principal)
    if name is not None:
        query = query.where(JobRow.name == name)
    if state is not None:
        query = query.where(JobRow.state == state.value)
    return query


SORTABLE = {"created_at": JobRow.created_at, "run_at": JobRow.run_at, "name": JobRow.name}
TIE_BREAK = JobRow.id


async def request_cancel(session: AsyncSession, job_id: str, now: datetime) -> None:
    """End a queued job; ask a running one to stop."""
    await session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == JobState.QUEUED.value)
        .values(state=JobState.CANCELLED.value, finished_at=now, cancel_requested_at=now)
    )
    await session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == JobState.RUNNING.value, JobRow.cancel_requested_at.is_(None))
        .values(cancel_requested_at=now)
    )


async def has_work(session: AsyncSession, names: Sequence[str], now: datetime) -> bool:
    """Whether something is due or lost; a cheap look before the writer is taken."""
    due = select(JobRow.id).where(JobRow.state == JobState.QUEUED.value, JobRow.run_at <= now, JobRow.name.in_(names))
    lost = select(JobRow.id).where(JobRow.state == JobState.RUNNING.value, JobRow.lease_until < now)
    return (await session.scalar(due.limit(1)) or await session.scalar(lost.limit(1))) is not None


async def count_by_state(session: AsyncSession) -> dict[str, int]:
    """How many jobs of all tenants are in each state."""
    rows = await session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {str(state): int(count) for state, count in rows}


async def next_run_at(session: AsyncSession) -> datetime | None:
    """When the next delayed job is due."""
    return await session.scalar(select(func.min(JobRow.run_at)).where(JobRow.state == JobState.QUEUED.value))


async def claim(
    session: AsyncSession,
    lane: Lane,
    names: Sequence[str],
    *,
    limit: int,
    served: Mapping[str, float],
    worker_id: str,
    now: datetime,
    lease_until: datetime,
) -> list[Claim]:
    """Take up to `limit` due jobs of a lane in fair order; `served` says when each workspace had its last turn.

    Two workers may pick the same row; the state in the UPDATE lets one of them have it.
    """
    found = await session.execute(_waiting(lane, names, now, limit))
    ids = fair_order([Waiting(*row) for row in found.all()], served)[:limit]
    if not ids:
        return []
    taken = await session.scalars(
        update(JobRow)
        .where(JobRow.id.in_(ids), JobRow.state == JobState.QUEUED.value)
        .values(
            state=JobState.RUNNING.value,
            attempts=JobRow.attempts + 1,
            worker_id=worker_id,
            lease_until=lease_until,
            started_at=func.coalesce(JobRow.started_at, literal(now, UTCDateTime())),
        )
        .returning(JobRow),
        execution_options={"populate_existing": True},
    )
    rows = {row.id: row for row in taken}
    return [_to_claim(rows[job_id]) for job_id in ids if job_id in rows]


def _waiting(lane: Lane, names: Sequence[str], now: datetime, limit: int) -> Select[str, str, int, int]:
    running = (
        select(JobRow.tenant_workspace_id, func.count().label("running"))
        .where(JobRow.state == JobState.RUNNING.value, JobRow.queue == lane.value)
        .group_by(JobRow.tenant_workspace_id)
        .subquery()
    )
    due = (
        select(
            JobRow.id,
            JobRow.run_at,
            JobRow.tenant_workspace_id,
            func.row_number()
            .over(partition_by=JobRow.tenant_workspace_id, order_by=(JobRow.run_at, JobRow.id))
            .label("turn"),
        )
        .where(
            JobRow.state == JobState.QUEUED.value,
            JobRow.queue == lane.value,
            JobRow.run_at <= now,
            JobRow.name.in_(names),
        )
        .subquery()
    )
    return (
        select(due.c.id, due.c.tenant_workspace_id, due.c.turn, func.coalesce(running.c.running, 0))
        .outerjoin(running, running.c.tenant_workspace_id == due.c.tenant_workspace_id)
        .where(due.c.turn <= limit)
        .order_by(due.c.turn, due.c.run_at, due.c.id)
        .limit(CANDIDATES_MAX)
    )


def _held(claim: Claim) -> Update:
    return update(JobRow).where(
        JobRow.id == claim.job_id, JobRow.attempts == claim.attempt, JobRow.state == JobState.RUNNING.value
    )


async def update_held(session: AsyncSession, claim: Claim, **values: Any) -> bool:
    """Change the row while this attempt holds it (and lock it until the commit). False when it does not any more."""
    done = cast(CursorResult[Any], await session.execute(_held(claim).values(**values)))
    return done.rowcount == 1


async def touch_held(session: AsyncSession, claim: Claim) -> bool:
    """Lock the row for the rest of the transaction. False when this attempt does not hold it any more."""
    return await update_held(session, claim, attempts=claim.attempt)


async def renew(session: AsyncSession, claims: Iterable[Claim], lease_until: datetime) -> set[str]:
    """Extend the leases of running attempts. Returns the ids of the jobs that are still held."""
    return {item.job_id for item in claims if await update_held(session, item, lease_until=lease_until)}


async def cancel_requests(session: AsyncSession, job_ids: Sequence[str]) -> set[str]:
    """Which of these running jobs were asked to stop."""
    query = select(JobRow.id).where(JobRow.id.in_(job_ids), JobRow.cancel_requested_at.is_not(None))
    return set(await session.scalars(query))


async def release_lost(session: AsyncSession, now: datetime, *, is_everything_lost: bool) -> list[str]:
    """Put jobs whose worker is gone back into their queue; those lost too often in a row fail. Returns their ids."""
    rows = await session.scalars(
        select(JobRow)
        .where(JobRow.state == JobState.RUNNING.value)
        .where(or_(JobRow.lease_until < now, true() if is_everything_lost else false()))
        .with_for_update(skip_locked=True)
    )
    lost = list(rows)
    for row in lost:
        _release(row, now)
    return [row.id for row in lost]


def _release(row: JobRow, now: datetime) -> None:
    row.losses += 1
    row.worker_id = row.lease_until = None
    if row.cancel_requested_at is not None:
        row.state, row.finished_at = JobState.CANCELLED.value, now
    elif row.losses > LOSSES_MAX:
        row.state, row.finished_at = JobState.FAILED.value, now
        row.error_code = "worker-lost"
        row.error_detail = f"The worker ended {row.losses} times in a row before a step of this job was finished"
    else:
        row.state, row.run_at = JobState.QUEUED.value, now + timedelta(seconds=loss_delay_seconds(row.losses))


async def note_steps_seen(session: AsyncSession, claim: Claim, steps: int) -> bool:
    """Forgive earlier losses when steps were finished since. False when the attempt is not held any more."""
    row = await session.scalar(
        select(JobRow).where(JobRow.id == claim.job_id, JobRow.attempts == claim.attempt).with_for_update()
    )
    if row is None or row.state != JobState.RUNNING.value:
        return False
    if steps > row.steps_seen:
        row.steps_seen, row.losses = steps, 0
    return True


async def step_results(session: AsyncSession, job_id: str) -> dict[str, Any]:
    """The results of the finished `transaction` steps, by key."""
    rows = await session.scalars(select(JobStepRow).where(JobStepRow.job_id == job_id))
    return {row.key: row.result["value"] for row in rows}


def add_step(session: AsyncSession, claim: Claim, key: str, value: Any, now: datetime) -> None:
    """Mark a `transaction` step as finished."""
    row = JobStepRow(job_id=claim.job_id, key=key, result={"value": value}, attempt=claim.attempt, finished_at=now)
    session.add(row)


async def final_ids(session: AsyncSession, job_ids: Sequence[str]) -> set[str]:
    """Which of these jobs are over or do not exist (any more)."""
    open_states = (JobState.QUEUED.value, JobState.RUNNING.value)
    query = select(JobRow.id).where(JobRow.id.in_(job_ids), JobRow.state.in_(open_states))
    return set(job_ids) - set(await session.scalars(query))


async def delete_finished(session: AsyncSession, before: datetime) -> int:
    """Delete jobs that ended before a time, with their steps. Returns how many."""
    done = await session.execute(delete(JobRow).where(JobRow.finished_at < before))
    return cast(CursorResult[Any], done).rowcount


def to_job(row: JobRow) -> Job:
    """A row as its owner may see it."""
    error = None
    if row.error_code is not None:
        error = JobError(row.error_code, row.error_detail or "", row.error_incident)
    return Job(
        id=row.id,
        name=row.name,
        queue=Lane(row.queue),
        state=JobState(row.state),
        progress=Progress(row.progress_done, row.progress_total, row.progress_note),
        error=error,
        attempts=row.attempts,
        is_cancel_requested=row.cancel_requested_at is not None,
        created_at=row.created_at,
        run_at=row.run_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _to_claim(row: JobRow) -> Claim:
    return Claim(
        job_id=row.id,
        name=row.name,
        queue=Lane(row.queue),
        attempt=row.attempts,
        failures=row.failures,
        principal=principal_from_json(row.principal),
        payload=row.payload,
    )


@dataclass(frozen=True, slots=True)
class Slot:
    """A schedule whose time has come."""

    name: str
    cron: str
    zone: str
    job_name: str
    queue: Lane
    payload: dict[str, Any]
    principal: Principal
    at: datetime


async def upsert_schedule(
    session: AsyncSession, schedule: Schedule, *, payload: dict[str, Any], principal: Principal, next_at: datetime
) -> None:
    """Make or replace a schedule; its slots start anew."""
    row = await session.get(JobScheduleRow, schedule.name)
    if row is None:
        row = JobScheduleRow(name=schedule.name)
        session.add(row)
    row.cron, row.zone, row.is_built_in = schedule.cron, schedule.zone, schedule.is_built_in
    row.job_name, row.queue = schedule.task_name, schedule.queue.value
    row.payload, row.principal = payload, principal_to_json(principal)
    row.next_at = next_at


async def delete_schedule(session: AsyncSession, name: str) -> None:
    """Remove a schedule if it is there."""
    await session.execute(delete(JobScheduleRow).where(JobScheduleRow.name == name))


async def built_in_schedules(session: AsyncSession) -> dict[str, tuple[str, str]]:
    """(cron, zone) of the schedules that came from the code, by name."""
    rows = await session.scalars(select(JobScheduleRow).where(JobScheduleRow.is_built_in))
    return {row.name: (row.cron, row.zone) for row in rows}


async def due_slots(session: AsyncSession, now: datetime) -> list[Slot]:
    """The schedules whose slot has come."""
    rows = await session.scalars(
        select(JobScheduleRow).where(JobScheduleRow.next_at <= now).with_for_update(skip_locked=True)
    )
    return [_to_slot(row) for row in rows]


def _to_slot(row: JobScheduleRow) -> Slot:
    return Slot(
        name=row.name,
        cron=row.cron,
        zone=row.zone,
        job_name=row.job_name,
        queue=Lane(row.queue),
        payload=row.payload,
        principal=principal_from_json(row.principal),
        at=row.next_at,
    )


async def advance_schedule(session: AsyncSession, slot: Slot, next_at: datetime) -> None:
    """Move a schedule from a slot that has fired to its next one."""
    await session.execute(
        update(JobScheduleRow)
        .where(JobScheduleRow.name == slot.name, JobScheduleRow.next_at == slot.at)
        .values(next_at=next_at, last_at=slot.at)
    )


async def next_slot_at(session: AsyncSession) -> datetime | None:
    """When the next schedule fires."""
    return await session.scalar(select(func.min(JobScheduleRow.next_at)))
