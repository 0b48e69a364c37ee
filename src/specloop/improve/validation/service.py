"""Use cases of holdout validation: ask for a run, spend a look, compare, keep aggregates (spectral.md §2.5).

What a verdict means for a change set is decided by the domain above.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.improve.evaluation.model import Example
from specloop.improve.evaluation.scorer import JudgedDimension, ObjectiveScorer
from specloop.improve.objectives.compiled import CompiledObjective
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.service import SampleService
from specloop.improve.validation import repository
from specloop.improve.validation.errors import InsufficientSamples, LooksSpent
from specloop.improve.validation.evidence import Freshness
from specloop.improve.validation.gates import aggregate_metrics
from specloop.improve.validation.model import (
    HOLDOUT_FLOOR,
    LOOKS_MAX,
    SLICE_SIZE_MIN,
    STATUS_OF_VERDICT,
    HoldoutSample,
    Look,
    RunStatus,
    Subject,
    ValidationRun,
    move,
)
from specloop.improve.validation.statistics import detectable_effect, look_alpha, power_table
from specloop.improve.validation.tables import ValidationRunRow
from specloop.improve.validation.validate import Holdout, ValidationReport, validate
from specloop.run import agents
from specloop.run.runtime import AgentRuntime

MIN_N = 100
SLICE_VALUES_MAX = 10

__all__ = ["MIN_N", "Prepared", "ValidationService", "aggregate_metrics", "power_report", "scorer_of"]


def power_report(n: int) -> dict[str, Any]:
    """What a holdout of `n` samples can certify, as preflight, stats and refusals show it."""
    return {
        "n": n,
        "detectable_effect": detectable_effect(n) if n else 1.0,
        "table": power_table(n) if n else {},
        "is_sufficient": n >= MIN_N,
    }


def scorer_of(compiled: CompiledObjective) -> ObjectiveScorer:
    """The scorer of a compiled objective."""
    judges = tuple(JudgedDimension(name, compiled.judge(name), spec.args) for name, spec in compiled.judges.items())
    return ObjectiveScorer(compiled.objective, judges)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything a comparison needs, loaded: it can run in any thread."""

    run_id: str
    runtime: AgentRuntime
    scorer: ObjectiveScorer
    subject: Subject
    holdout: Holdout
    binding: dict[str, Any]

    def compare(self) -> ValidationReport:
        """Run both configs on the holdout and ask the gates. Takes seconds of CPU."""
        return validate(
            self.runtime, self.scorer, self.subject.base_config, self.subject.candidate_config, self.holdout
        )


class ValidationService:
    """Validation runs of a workspace."""

    def __init__(self, objectives: ObjectiveService, samples: SampleService) -> None:
        self._objectives = objectives
        self._samples = samples

    async def request(self, ctx: Context, subject: Subject, reason: str = "", repeats: int = 1) -> str:
        """A queued run; returns its id. The caller enqueues the work in the same transaction.

        Raises: InsufficientSamples with the power table; LooksSpent; NotRunnable.
        """
        agents.runnable(subject.runtime)
        await self.check_ready(ctx, subject.sample_set_version_id)
        run_id = await repository.insert_run(ctx, subject, reason, repeats)
        await audit.record(
            ctx, "validation.requested", "validation_run", run_id, {"changeset_id": subject.changeset_id}
        )
        return run_id

    async def check_ready(self, ctx: Context, version_id: str) -> None:
        """Whether one more look at this holdout version can prove anything.

        Raises: InsufficientSamples; LooksSpent.
        """
        n = await repository.holdout_size(ctx, version_id)
        if n < HOLDOUT_FLOOR:
            raise InsufficientSamples(
                f"the holdout has {n} samples; at least {HOLDOUT_FLOOR} are needed, {MIN_N} for a pass",
                power=power_report(n),
                min_n=MIN_N,
            )
        if len(await repository.looks(ctx, version_id)) >= LOOKS_MAX:
            raise LooksSpent(looks_max=LOOKS_MAX)

    async def begin(self, ctx: Context, run_id: str, subject: Subject) -> Prepared | None:
        """Start a queued run: spend its look and load the holdout. None when it was cancelled meanwhile.

        After an interruption it goes on with the look that it had spent.
        Raises: LooksSpent when others took the last look while it waited.
        """
        row = await repository.row_of(ctx, run_id)
        if RunStatus(row.status).is_final:
            return None
        if row.status == RunStatus.QUEUED:
            row.status = move(RunStatus.QUEUED, RunStatus.RUNNING).value
        compiled = await self._objectives.compiled(ctx, subject.objective_version_id)
        look = await self._spend_look(ctx, run_id, subject, compiled.objective.alpha)
        row.binding = await self.binding(ctx, subject)
        row.updated_at = ctx.clock.now()
        await ctx.session.flush()
        holdout = await self._load_holdout(ctx, subject, look)
        return Prepared(run_id, agents.runnable(subject.runtime), scorer_of(compiled), subject, holdout, row.binding)

    async def _spend_look(self, ctx: Context, run_id: str, subject: Subject, alpha: float) -> Look:
        look = await repository.look_of_run(ctx, run_id)
        if look is None:
            number = len(await repository.looks(ctx, subject.sample_set_version_id)) + 1
            if number > LOOKS_MAX:
                raise LooksSpent(looks_max=LOOKS_MAX)
            look = Look(number, look_alpha(alpha, number, LOOKS_MAX))
            await repository.add_look(ctx, subject.sample_set_version_id, run_id, look)
        return look

    async def _load_holdout(self, ctx: Context, subject: Subject, look: Look) -> Holdout:
        version_id = subject.sample_set_version_id
        version = await self._samples.version(ctx, version_id)
        samples = await repository.holdout_samples(ctx, version_id)
        return Holdout(
            examples=tuple(Example(one.id, one.input, one.reference, one.metadata) for one in samples),
            groups=tuple(one.group for one in samples),
            slices=slices_of(samples),
            freshness=Freshness(
                base_versions_current=subject.is_base_current,
                holdout_unburned=version.is_sealed,
                duplicates_with_train=await repository.shared_contents(ctx, version_id),
            ),
            looks_used=look.number - 1,
            looks=LOOKS_MAX,
            min_n=MIN_N,
        )

    async def binding(self, ctx: Context, subject: Subject) -> dict[str, Any]:
        """What a verdict is bound to; any change voids it (spectral.md §1.4 invariant 9)."""
        compiled = await self._objectives.compiled(ctx, subject.objective_version_id)
        return {
            "base_hash": subject.base_hash,
            "config_hash": subject.candidate_hash,
            "sample_set_version_id": subject.sample_set_version_id,
            "objective_version_id": subject.objective_version_id,
            "judge_versions": compiled.judge_versions,
        }

    async def finish(self, ctx: Context, prepared: Prepared, report: ValidationReport) -> ValidationRun | None:
        """Keep the aggregates and the verdict. None when the run was cancelled while it compared."""
        row = await repository.row_of(ctx, prepared.run_id)
        if RunStatus(row.status).is_final:
            return None
        version = await self._samples.version(ctx, prepared.subject.sample_set_version_id)
        verdict = report.verdict or "inconclusive"
        row.result = report_as_json(report, version.version)
        row.verdict = verdict
        await self._end(ctx, row, STATUS_OF_VERDICT[verdict])
        return repository.to_run(row)

    async def fail(self, ctx: Context, run_id: str, code: str, detail: str) -> ValidationRun | None:
        """End a run that could not be carried out. None when it had ended already."""
        row = await repository.row_of(ctx, run_id)
        if RunStatus(row.status).is_final:
            return None
        if row.status == RunStatus.QUEUED:
            row.status = RunStatus.RUNNING.value
        row.error = {"code": code, "detail": detail}
        await self._end(ctx, row, RunStatus.ERROR)
        return repository.to_run(row)

    async def cancel(self, ctx: Context, changeset_id: str, run_id: str) -> ValidationRun:
        """End a run that has not ended.

        Raises: ValidationRunNotFound; InvalidTransition.
        """
        await repository.find(ctx, changeset_id, run_id)
        row = await repository.row_of(ctx, run_id)
        await self._end(ctx, row, RunStatus.CANCELLED)
        return repository.to_run(row)

    async def _end(self, ctx: Context, row: ValidationRunRow, wanted: RunStatus) -> None:
        row.status = move(RunStatus(row.status), wanted).value
        row.updated_at = row.finished_at = ctx.clock.now()
        await ctx.session.flush()
        detail = {"changeset_id": row.changeset_id, "verdict": row.verdict}
        await audit.record(ctx, f"validation.{wanted.value}", "validation_run", row.id, detail)

    async def read(self, ctx: Context, changeset_id: str, run_id: str) -> ValidationRun:
        """A run of a change set.

        Raises: ValidationRunNotFound.
        """
        return await repository.find(ctx, changeset_id, run_id)

    async def list(self, ctx: Context, changeset_id: str, page: PageRequest) -> Page[ValidationRun]:
        """The runs of a change set, newest first."""
        return await repository.page_of(ctx, changeset_id, page)


def slices_of(samples: list[HoldoutSample]) -> dict[str, tuple[int, ...]]:
    """Sample numbers by `key=value` of the metadata keys that have few distinct values."""
    values: dict[str, dict[str, list[int]]] = {}
    for number, sample in enumerate(samples):
        for key, value in sample.metadata.items():
            if isinstance(value, str | bool | int):
                values.setdefault(key, {}).setdefault(str(value)[:80], []).append(number)
    return {
        f"{key}={value}": tuple(numbers)
        for key, found in sorted(values.items())
        if 1 < len(found) <= SLICE_VALUES_MAX
        for value, numbers in sorted(found.items())
    }


def report_as_json(report: ValidationReport, version: int) -> dict[str, Any]:
    """The aggregates on the wire (spectral.md §1.3 router 11)."""
    gates = [
        {
            "name": gate.name,
            "passed": bool(gate.passed),
            "value": gate.value,
            "threshold": gate.threshold,
            "detail": gate.detail,
        }
        for gate in report.gates
    ]
    return {
        "gates": gates,
        "n": report.n,
        "baseline": report.baseline,
        "candidate": report.candidate,
        "delta": report.delta,
        "ci95": [report.ci95.low, report.ci95.high],
        "p_value": report.mcnemar.p_value,
        "mcnemar": {"n01": report.mcnemar.wins, "n10": report.mcnemar.losses},
        "wins": report.mcnemar.wins,
        "losses": report.mcnemar.losses,
        "ties": report.n - report.mcnemar.wins - report.mcnemar.losses,
        "by_dimension": _dimensions(report.by_dimension),
        "by_slice": [asdict(one) for one in report.by_slice if one.n >= SLICE_SIZE_MIN],
        "guardrails": [gate for gate in gates if gate["name"] == "cost/latency/error"],
        "holdout": {
            "sample_set_version": version,
            "looks_used": report.look,
            "looks_left": report.looks_left,
            "alpha_spent": report.alpha_spent,
        },
    }


def _dimensions(found: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, float]]:
    return {
        name: {"baseline": before, "candidate": after, "delta": after - before}
        for name, (before, after) in found.items()
    }
