"""One validation run: score baseline and candidate on the holdout and let the gates decide (spectral.md §2.5).

The only caller of holdout samples. It returns aggregates; per-sample rows never leave it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from specloop.improve.evaluation.model import Evaluation, Example, Scorer
from specloop.improve.validation.evidence import Evidence, Freshness
from specloop.improve.validation.gates import GateResult, Verdict, run_gates, verdict_of
from specloop.improve.validation.statistics import Interval, McNemar, look_alpha
from specloop.kit.json import canonical_hash
from specloop.run.runtime import AgentRuntime, JsonObject

# Smaller slices are not reported: they could identify single holdout samples (spectral.md §1.3 router 11).
SLICE_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Holdout:
    """The sealed part of a sample set: samples, one group key each, and named slices of sample numbers."""

    examples: tuple[Example, ...]
    groups: tuple[str, ...]
    slices: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    freshness: Freshness = field(default_factory=Freshness)
    looks_used: int = 0
    looks: int = 5
    min_n: int = 100


@dataclass(frozen=True, slots=True)
class SliceReport:
    """Aggregates of one slice of the holdout."""

    name: str
    n: int
    baseline: float
    candidate: float


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """Aggregates only (spectral.md §1.3 router 11). `verdict` is None for a no-op, which is never validated."""

    verdict: Verdict | None
    gates: tuple[GateResult, ...]
    n: int
    baseline: float
    candidate: float
    delta: float
    ci95: Interval
    mcnemar: McNemar
    by_dimension: Mapping[str, tuple[float, float]]
    by_slice: tuple[SliceReport, ...]
    look: int
    looks_left: int
    alpha_spent: float
    identity: Mapping[str, Any]


def is_noop(base_config: JsonObject, candidate_config: JsonObject) -> bool:
    """Whether the winner is the baseline: then there is no change set and no validation (spectral.md §2.5)."""
    return canonical_hash(base_config) == canonical_hash(candidate_config)


class NothingToValidate(ValueError):
    """The candidate equals the baseline; a validation would only measure noise and burn a look."""


def validate(
    runtime: AgentRuntime,
    scorer: Scorer,
    base_config: JsonObject,
    candidate_config: JsonObject,
    holdout: Holdout,
    seed: int = 0,
) -> ValidationReport:
    """Spend one look on the holdout. Raises: NothingToValidate for a no-op."""
    if is_noop(base_config, candidate_config):
        raise NothingToValidate("the candidate equals the baseline")
    look = holdout.looks_used + 1
    alpha = look_alpha(scorer.objective.alpha, look, holdout.looks)
    evidence = Evidence(
        objective=scorer.objective,
        baseline=_score(runtime, scorer, base_config, holdout.examples),
        candidate=_score(runtime, scorer, candidate_config, holdout.examples),
        groups=holdout.groups,
        slices=holdout.slices,
        freshness=holdout.freshness,
        look=look,
        looks=holdout.looks,
        alpha=alpha,
        min_n=holdout.min_n,
        seed=seed,
    )
    gates = run_gates(evidence)
    return ValidationReport(
        verdict=verdict_of(gates, evidence),
        gates=gates,
        n=evidence.n,
        baseline=float(evidence.before.mean()) if evidence.n else 0.0,
        candidate=float(evidence.after.mean()) if evidence.n else 0.0,
        delta=evidence.delta,
        ci95=evidence.ci95,
        mcnemar=evidence.mcnemar,
        by_dimension=_by_dimension(evidence),
        by_slice=_by_slice(evidence),
        look=look,
        looks_left=max(0, holdout.looks - look),
        alpha_spent=alpha,
        identity={"config_hash": canonical_hash(candidate_config), "scorer": scorer.identity},
    )


def _score(
    runtime: AgentRuntime, scorer: Scorer, config: JsonObject, examples: Sequence[Example]
) -> tuple[Evaluation, ...]:
    config_hash = canonical_hash(config)
    outputs = runtime.run_batch(config, [example.input for example in examples])
    return tuple(scorer.score(config_hash, e, output) for e, output in zip(examples, outputs, strict=True))


def _by_dimension(evidence: Evidence) -> dict[str, tuple[float, float]]:
    found: dict[str, tuple[float, float]] = {}
    for rubric in evidence.objective.rubrics:
        for dimension in rubric.dimensions:
            name = f"{rubric.key}/{dimension.key}"
            sides = [[v for e in side if (v := e.dimension_scores.get(name)) is not None] for side in _sides(evidence)]
            if all(sides):
                found[name] = (sum(sides[0]) / len(sides[0]), sum(sides[1]) / len(sides[1]))
    return found


def _sides(evidence: Evidence) -> tuple[tuple[Evaluation, ...], tuple[Evaluation, ...]]:
    return evidence.baseline, evidence.candidate


def _by_slice(evidence: Evidence) -> tuple[SliceReport, ...]:
    position = {sample: place for place, sample in enumerate(evidence.scored)}
    reports: list[SliceReport] = []
    for name, samples in sorted(evidence.slices.items()):
        places = [position[s] for s in samples if s in position]
        if len(places) >= SLICE_SHOWN:
            before, after = float(evidence.before[places].mean()), float(evidence.after[places].mean())
            reports.append(SliceReport(name, len(places), before, after))
    return tuple(reports)
