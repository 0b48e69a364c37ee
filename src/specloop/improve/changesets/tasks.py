"""Durable jobs of change sets: holdout validation, and the expiry of proposals nobody decided."""

from __future__ import annotations

import asyncio
from typing import Any

from specloop.db.context import Context
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import Internal, SpecloopError
from specloop.improve.changesets import repository
from specloop.improve.changesets.service.deciding import Decisions
from specloop.improve.changesets.service.validating import JOB, Validations
from specloop.jobs import JobCancelled, JobContext, Lane, LeaseLost, Tasks
from specloop.kit.context import system_principal
from specloop.kit.log import get_logger

log = get_logger(__name__)
tasks = Tasks()


@tasks.job(JOB, queue=Lane.VALIDATION)
async def validate_changeset(job: JobContext, payload: dict[str, Any]) -> None:
    """Spend a look, compare outside any transaction, keep the verdict; then bounded autonomy may act."""
    validations: Validations = job.services["Validations"]
    decisions: Decisions = job.services["Decisions"]
    changeset_id, run_id = payload["changeset_id"], payload["run_id"]
    try:
        async with job.writing() as ctx:
            prepared = await validations.begin(ctx, changeset_id, run_id)
        if prepared is None:
            return
        report = await asyncio.to_thread(prepared.compare)
    except (JobCancelled, LeaseLost):
        raise
    except Exception as error:  # whatever went wrong, the change set must not stay in `validating`
        await _fail(job, validations, run_id, error)
        return
    async with job.writing() as ctx:
        if await validations.finish(ctx, prepared, report) is not None:
            await decisions.accept_automatically(ctx, changeset_id)


async def _fail(job: JobContext, validations: Validations, run_id: str, error: Exception) -> None:
    known = error if isinstance(error, SpecloopError) else Internal()
    if known is not error:
        log.error("validation.crashed", run_id=run_id, exc_info=error)
    async with job.writing() as ctx:
        await validations.fail(ctx, run_id, known.code, known.detail)


@tasks.scheduled("changesets.expire", cron="7 * * * *")
async def expire_changesets(job: JobContext, payload: dict[str, Any]) -> None:
    """Every hour, in every workspace that has any: proposals that nobody decided in time."""
    del payload
    decisions: Decisions = job.services["Decisions"]
    async with job.database.reading(ALL_WORKSPACES) as unit:
        found = await repository.workspaces_with_expired(unit.session, job.clock.now())
    for account_id, workspace_id in found:
        principal = system_principal(account_id, workspace_id, frozenset())
        async with job.database.writing(workspace_id) as unit:
            await decisions.expire(Context(principal, unit, job.clock))
