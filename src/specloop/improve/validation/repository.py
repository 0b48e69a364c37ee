"""All SQL of validation, and the one read path to holdout payloads besides the audited reveal."""

from __future__ import annotations

from sqlalchemy import func, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.samples.tables import HoldoutSampleRow, SampleRow
from specloop.improve.validation.errors import ValidationRunNotFound
from specloop.improve.validation.model import HoldoutSample, Look, RunStatus, Subject, ValidationRun
from specloop.improve.validation.tables import HoldoutLookRow, ValidationRunRow
from specloop.kit.ids import new_id


async def insert_run(ctx: Context, subject: Subject, reason: str, repeats: int) -> str:
    """A queued run; returns its id."""
    now = ctx.clock.now()
    run_id = new_id()
    ctx.session.add(
        ValidationRunRow(
            id=run_id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            changeset_id=subject.changeset_id,
            status=RunStatus.QUEUED.value,
            reason=reason,
            repeats=repeats,
            sample_set_version_id=subject.sample_set_version_id,
            objective_version_id=subject.objective_version_id,
            binding={},
            result={},
            error={},
            created_at=now,
            updated_at=now,
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()
    return run_id


async def row_of(ctx: Context, run_id: str) -> ValidationRunRow:
    """The row, locked for the rest of the transaction.

    Raises: ValidationRunNotFound.
    """
    row = await ctx.session.scalar(
        select(ValidationRunRow)
        .where(ValidationRunRow.workspace_id == ctx.workspace_id, ValidationRunRow.id == run_id)
        .with_for_update()
    )
    if row is None:
        raise ValidationRunNotFound
    return row


async def find(ctx: Context, changeset_id: str, run_id: str) -> ValidationRun:
    """A run of a change set.

    Raises: ValidationRunNotFound.
    """
    row = await ctx.session.scalar(
        select(ValidationRunRow).where(
            ValidationRunRow.workspace_id == ctx.workspace_id,
            ValidationRunRow.changeset_id == changeset_id,
            ValidationRunRow.id == run_id,
        )
    )
    if row is None:
        raise ValidationRunNotFound
    return to_run(row)


async def page_of(ctx: Context, changeset_id: str, page: PageRequest) -> Page[ValidationRun]:
    """The runs of a change set, newest first."""
    rows = await paginate(
        ctx.session,
        select(ValidationRunRow).where(
            ValidationRunRow.workspace_id == ctx.workspace_id, ValidationRunRow.changeset_id == changeset_id
        ),
        page,
        sortable={"created_at": ValidationRunRow.created_at},
        default_sort="-created_at",
        tie_break=ValidationRunRow.id,
    )
    return Page([to_run(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def holdout_size(ctx: Context, version_id: str) -> int:
    """How many sealed samples a version has."""
    query = (
        select(func.count())
        .select_from(HoldoutSampleRow)
        .where(HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id)
    )
    return await ctx.session.scalar(query) or 0


async def holdout_samples(ctx: Context, version_id: str) -> list[HoldoutSample]:
    """The sealed samples, for the validator only (spectral.md §1.4 invariant 5)."""
    rows = await ctx.session.scalars(
        select(HoldoutSampleRow)
        .where(HoldoutSampleRow.workspace_id == ctx.workspace_id, HoldoutSampleRow.version_id == version_id)
        .order_by(HoldoutSampleRow.ordinal, HoldoutSampleRow.id)
    )
    return [
        HoldoutSample(
            id=row.id,
            input=row.input,
            reference=row.reference,
            metadata=row.details,
            group=row.cohort or row.group_key or row.content_hash,
            content_hash=row.content_hash,
        )
        for row in rows
    ]


async def shared_contents(ctx: Context, version_id: str) -> int:
    """How many holdout samples also lie in train or val: gate `freshness` allows none."""
    query = (
        select(func.count())
        .select_from(HoldoutSampleRow)
        .where(
            HoldoutSampleRow.workspace_id == ctx.workspace_id,
            HoldoutSampleRow.version_id == version_id,
            HoldoutSampleRow.content_hash.in_(
                select(SampleRow.content_hash).where(
                    SampleRow.workspace_id == ctx.workspace_id, SampleRow.version_id == version_id
                )
            ),
        )
    )
    return await ctx.session.scalar(query) or 0


async def looks(ctx: Context, version_id: str) -> list[Look]:
    """The looks that a holdout version has spent, in order."""
    rows = await ctx.session.scalars(
        select(HoldoutLookRow)
        .where(HoldoutLookRow.workspace_id == ctx.workspace_id, HoldoutLookRow.sample_set_version_id == version_id)
        .order_by(HoldoutLookRow.look)
    )
    return [Look(row.look, row.alpha) for row in rows]


async def look_of_run(ctx: Context, run_id: str) -> Look | None:
    """The look that a run has already spent, before an interruption."""
    row = await ctx.session.scalar(
        select(HoldoutLookRow).where(HoldoutLookRow.workspace_id == ctx.workspace_id, HoldoutLookRow.run_id == run_id)
    )
    return None if row is None else Look(row.look, row.alpha)


async def add_look(ctx: Context, version_id: str, run_id: str, look: Look) -> None:
    """Spend a look."""
    ctx.session.add(
        HoldoutLookRow(
            id=new_id(),
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            sample_set_version_id=version_id,
            look=look.number,
            alpha=look.alpha,
            run_id=run_id,
            created_at=ctx.clock.now(),
        )
    )
    await ctx.session.flush()


def to_run(row: ValidationRunRow) -> ValidationRun:
    """The run a row holds."""
    return ValidationRun(
        id=row.id,
        changeset_id=row.changeset_id,
        status=RunStatus(row.status),
        verdict=row.verdict,
        reason=row.reason,
        repeats=row.repeats,
        sample_set_version_id=row.sample_set_version_id,
        objective_version_id=row.objective_version_id,
        binding=row.binding,
        result=row.result,
        error=row.error,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        created_by=row.created_by,
    )
