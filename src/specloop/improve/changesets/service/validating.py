"""Holdout validation of change sets: proposed → validating → proposed with a verdict (spectral.md §1.3 router 11)."""

from __future__ import annotations

from typing import Any

from specloop import jobs
from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.improve.changesets import promotion, repository
from specloop.improve.changesets.errors import NothingToValidateOn
from specloop.improve.changesets.model import ChangeSet, Status, move
from specloop.improve.changesets.tables import ChangeSetRow
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.validation.model import Subject, ValidationRun
from specloop.improve.validation.service import Prepared, ValidationService
from specloop.improve.validation.validate import ValidationReport

JOB = "changeset.validate"


class Validations:
    """The validation runs of change sets."""

    def __init__(self, validations: ValidationService, objectives: ObjectiveService) -> None:
        self._runs = validations
        self._objectives = objectives

    async def start(
        self, ctx: Context, changeset_id: str, objective_id: str | None = None, repeats: int = 1, reason: str = ""
    ) -> ValidationRun:
        """Move to `validating` and enqueue the work in this transaction.

        Raises: ChangeSetNotFound; InvalidTransition; NothingToValidateOn; InsufficientSamples; LooksSpent.
        """
        run = await self.open(ctx, changeset_id, objective_id, repeats, reason)
        payload = {"changeset_id": changeset_id, "run_id": run.id}
        await jobs.enqueue(ctx, JOB, payload, queue=jobs.Lane.VALIDATION)
        return run

    async def open(
        self, ctx: Context, changeset_id: str, objective_id: str | None = None, repeats: int = 1, reason: str = ""
    ) -> ValidationRun:
        """The same without enqueueing: for a job that carries the run out itself.

        Raises: as `start`.
        """
        row = await repository.row_of(ctx, changeset_id)
        status = move(repository.status_of(row, ctx.clock.now()), Status.VALIDATING)
        if objective_id is not None:
            row.objective_version_id = (await self._objectives.usable(ctx, objective_id)).id
        subject = await self.subject(ctx, await self._flushed(ctx, row))
        run_id = await self._runs.request(ctx, subject, reason, repeats)
        row.status = status.value
        await self._note(ctx, row, "validation.started", {"run_id": run_id})
        return await self._runs.read(ctx, changeset_id, run_id)

    async def begin(self, ctx: Context, changeset_id: str, run_id: str) -> Prepared | None:
        """Load what a run compares and spend its look; None when it was cancelled.

        Raises: ChangeSetNotFound; NothingToValidateOn; LooksSpent.
        """
        subject = await self.subject(ctx, await repository.find(ctx, changeset_id))
        return await self._runs.begin(ctx, run_id, subject)

    async def finish(self, ctx: Context, prepared: Prepared, report: ValidationReport) -> ChangeSet | None:
        """Keep a run's verdict and bring the change set back to `proposed`; None when it was cancelled."""
        run = await self._runs.finish(ctx, prepared, report)
        return None if run is None else await self._settle(ctx, run)

    async def fail(self, ctx: Context, run_id: str, code: str, detail: str) -> None:
        """End a run that could not be carried out; the change set goes back to `proposed`."""
        run = await self._runs.fail(ctx, run_id, code, detail)
        if run is not None:
            await self._settle(ctx, run)

    async def latest(self, ctx: Context, changeset_id: str) -> ValidationRun | None:
        """The newest run of a change set, if there is one."""
        page = await self._runs.list(ctx, changeset_id, PageRequest(limit=1))
        return page.results[0] if page.results else None

    async def _flushed(self, ctx: Context, row: ChangeSetRow) -> ChangeSet:
        await ctx.session.flush()
        return await repository.find(ctx, row.id)

    async def subject(self, ctx: Context, changeset: ChangeSet) -> Subject:
        """What a validation compares: the first touched agent with and without the edits.

        Raises: NothingToValidateOn.
        """
        if changeset.sample_set_version_id is None or changeset.objective_version_id is None:
            raise NothingToValidateOn
        if len(changeset.agent_ids) != 1:
            raise NothingToValidateOn("a change set of several agents cannot be validated as one")
        agent_id = changeset.agent_ids[0]
        base = await promotion.at_version(ctx, agent_id, changeset.base_versions[agent_id])
        candidate = promotion.edited(base.config, changeset.edits)
        return Subject(
            changeset_id=changeset.id,
            runtime=base.agent.runtime,
            base_config=base.config,
            candidate_config=candidate,
            base_hash=base.config_hash,
            candidate_hash=promotion.hash_of(candidate),
            sample_set_version_id=changeset.sample_set_version_id,
            objective_version_id=changeset.objective_version_id,
            is_base_current=base.agent.promoted_version == base.version,
        )

    async def _settle(self, ctx: Context, run: ValidationRun) -> ChangeSet:
        """Back to `proposed`, with the verdict of a run that ended by itself."""
        row = await repository.row_of(ctx, run.changeset_id)
        if row.status == Status.VALIDATING:
            row.status = move(Status.VALIDATING, Status.PROPOSED).value
        if run.verdict is not None:
            row.verdict, row.verdict_binding = run.verdict, run.binding
            row.gates = list(run.result.get("gates", []))
            row.metrics = {**row.metrics, "holdout": holdout_figures(run)}
        await self._note(ctx, row, "validation.finished", {"run_id": run.id, "verdict": run.verdict})
        return await repository.find(ctx, run.changeset_id)

    async def cancel(self, ctx: Context, changeset_id: str, run_id: str) -> ValidationRun:
        """Stop a run; the change set goes back to `proposed` without a new verdict.

        Raises: ChangeSetNotFound; ValidationRunNotFound; InvalidTransition.
        """
        await repository.find(ctx, changeset_id)
        run = await self._runs.cancel(ctx, changeset_id, run_id)
        await self._settle(ctx, run)
        return run

    async def read(self, ctx: Context, changeset_id: str, run_id: str) -> ValidationRun:
        """A run.

        Raises: ChangeSetNotFound; ValidationRunNotFound.
        """
        await repository.find(ctx, changeset_id)
        return await self._runs.read(ctx, changeset_id, run_id)

    async def list(self, ctx: Context, changeset_id: str, page: PageRequest) -> Page[ValidationRun]:
        """The runs of a change set, newest first.

        Raises: ChangeSetNotFound.
        """
        await repository.find(ctx, changeset_id)
        return await self._runs.list(ctx, changeset_id, page)

    async def _note(self, ctx: Context, row: ChangeSetRow, type_: str, data: dict[str, Any]) -> None:
        row.revision += 1
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        await repository.add_event(ctx, row.id, type_, data)
        await audit.record(ctx, f"changeset.{type_}", "changeset", row.id, data)


def holdout_figures(run: ValidationRun) -> dict[str, Any]:
    """What a change set shows of its holdout validation."""
    names = (
        "baseline", "candidate", "delta", "ci95", "p_value", "n", "wins", "losses", "ties", "by_dimension", "by_slice",
    )  # fmt: skip
    return {"run_id": run.id, **{name: run.result.get(name) for name in names}}
