"""What callers do with jobs: ask for one in their own transaction, look at it, cancel it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.db.uow import UnitOfWork
from specloop.errors import InvalidTransition
from specloop.jobs import repository
from specloop.jobs.doorbell import doorbell_of
from specloop.jobs.errors import JobNotFound
from specloop.jobs.model import Job, JobState, Lane
from specloop.kit.ids import new_id


async def enqueue(
    ctx: Context,
    name: str,
    payload: dict[str, Any],
    *,
    queue: Lane | str,
    key: str | None = None,
    run_at: datetime | None = None,
) -> str:
    """Ask for the job `name` in the caller's transaction: it runs if and only if that commits. Returns its id.

    With a `key` that this tenant used before for the same name, nothing is added and the earlier job's id comes back.
    The job acts as the caller, with the scopes the caller has now.
    """
    now = ctx.clock.now()
    job = repository.NewJob(
        id=new_id(),
        name=name,
        queue=Lane(queue),
        payload=payload,
        principal=ctx.principal,
        dedupe_key=None if key is None else _dedupe_key(ctx, name, key),
        created_at=now,
        run_at=run_at or now,
    )
    job_id = await repository.insert_job(ctx.session, job)
    await _wake_after_commit(ctx)
    return job_id


async def read_job(ctx: Context, job_id: str) -> Job:
    """A job of the caller's workspace.

    Raises: JobNotFound.
    """
    job = await repository.find_job(ctx.session, ctx.principal, job_id)
    if job is None:
        raise JobNotFound
    return job


async def list_jobs(
    ctx: Context, page: PageRequest, *, name: str | None = None, state: JobState | None = None
) -> Page[Job]:
    """Jobs of the caller's workspace, newest first unless `page` says otherwise.

    Raises: ValidationFailed for a sort name other than created_at, run_at, name.
    """
    rows = await paginate(
        ctx.session,
        repository.jobs_query(ctx.principal, name, state),
        page,
        sortable=repository.SORTABLE,
        default_sort="-created_at",
        tie_break=repository.TIE_BREAK,
    )
    return Page([repository.to_job(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def cancel(ctx: Context, job_id: str) -> Job:
    """End a queued job at once; a running one stops at its next check. Asking twice is harmless.

    Raises: JobNotFound; InvalidTransition when the job has succeeded or failed.
    """
    job = await read_job(ctx, job_id)
    if job.state in (JobState.SUCCEEDED, JobState.FAILED):
        raise InvalidTransition.of("the job", job.state, JobState.CANCELLED, [])
    await repository.request_cancel(ctx.session, job_id, ctx.clock.now())
    await _wake_after_commit(ctx)
    ctx.session.expire_all()
    return await read_job(ctx, job_id)


async def queue_level(unit: UnitOfWork) -> dict[str, float]:
    """What waits and what runs, for the metrics of the whole server."""
    counts = await repository.count_by_state(unit.session)
    return {
        "jobs_waiting": counts.get(JobState.QUEUED.value, 0),
        "jobs_running": counts.get(JobState.RUNNING.value, 0),
    }


def _dedupe_key(ctx: Context, name: str, key: str) -> str:
    return f"{ctx.principal.account_id}:{ctx.principal.workspace_id or ''}:{name}:{key}"


async def _wake_after_commit(ctx: Context) -> None:
    bell = doorbell_of(ctx.session.get_bind())

    async def ring() -> None:
        bell.ring()

    ctx.uow.after_commit(ring)
    await repository.announce(ctx.session)
