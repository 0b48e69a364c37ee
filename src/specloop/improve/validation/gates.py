"""The gates a change set must pass on the holdout (spectral.md §2.5), one function each over immutable evidence.

A gate passes, is undecided (more samples could help) or is broken (they could not). It must not know storage.
"""

import math
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from specloop.improve.evaluation.metrics import aggregate_metrics
from specloop.improve.evaluation.model import Evaluation
from specloop.improve.objectives.composite import check_constraints
from specloop.improve.validation.evidence import Evidence, Floats
from specloop.improve.validation.statistics import holm, mcnemar_exact, paired_p_value, rate_upper, samples_for_power

Verdict = Literal["pass", "fail", "inconclusive"]

HARD_FLOOR = 30
HARM_MARGIN = 0.01
SLICE_MIN = 50
SLICE_LOSS = 0.05
SLICE_ALPHA = 0.05
ERROR_MARGIN = 0.01
FOLDS = 5
FOLDS_NEEDED = 4


@dataclass(frozen=True, slots=True)
class GateResult:
    """One gate's finding. `broken` marks a finding that no amount of further samples would excuse."""

    name: str
    passed: bool
    value: Any
    threshold: Any
    detail: str = ""
    broken: bool = False


Gate = Callable[[Evidence], GateResult]
_GATES: dict[str, Gate] = {}


def gate(name: str) -> Callable[[Callable[[Evidence], GateResult]], Gate]:
    """Register a gate under its contract name; the order of registration is the order of reports."""

    def register(function: Callable[[Evidence], GateResult]) -> Gate:
        _GATES[name] = function
        return function

    return register


def gate_names() -> tuple[str, ...]:
    """All gates in report order."""
    return tuple(_GATES)


def run_gates(evidence: Evidence) -> tuple[GateResult, ...]:
    """Ask every gate."""
    return tuple(function(evidence) for function in _GATES.values())


def verdict_of(results: tuple[GateResult, ...], evidence: Evidence) -> Verdict:
    """`pass` if every gate passed; `fail` if one is broken or the candidate is significantly worse."""
    if all(result.passed for result in results):
        return "pass"
    worse = evidence.n > 0 and evidence.ci95.high < 0
    return "fail" if worse or any(result.broken for result in results) else "inconclusive"


@gate("size")
def size(evidence: Evidence) -> GateResult:
    """Enough pairs for 80 % power at the smallest effect worth shipping; under 30 nothing can be said."""
    needed = max(evidence.min_n, samples_for_power(evidence.objective.min_effect, alpha=evidence.objective.alpha))
    missing = max(0, needed - evidence.n)
    detail = f"{missing} more samples needed" if missing else ""
    if evidence.n < HARD_FLOOR:
        detail = f"fewer than {HARD_FLOOR} samples prove nothing; {detail}"
    return GateResult("size", missing == 0, evidence.n, needed, detail)


@gate("freshness")
def freshness(evidence: Evidence) -> GateResult:
    """Base versions current, holdout never revealed, no duplicates between train and holdout."""
    facts = evidence.freshness
    objections = [
        *(() if facts.base_versions_current else ("base versions have moved on",)),
        *(() if facts.holdout_unburned else ("the holdout was revealed",)),
        *((f"{facts.duplicates_with_train} duplicates of train samples",) if facts.duplicates_with_train else ()),
    ]
    return GateResult("freshness", not objections, len(objections), 0, "; ".join(objections), broken=bool(objections))


@gate("effect")
def effect(evidence: Evidence) -> GateResult:
    """The mean paired gain is worth shipping."""
    threshold = evidence.objective.min_effect
    # A tolerance for rounding only: 0.05 computed as a mean of sums may come out a hair below.
    return GateResult("effect", evidence.delta >= threshold - 1e-12, evidence.delta, threshold)


@gate("significance")
def significance(evidence: Evidence) -> GateResult:
    """Exact McNemar for binary scores, else the lower end of the grouped bootstrap interval, at this look's level."""
    if evidence.n == 0:
        return GateResult("significance", False, None, evidence.alpha, "no pairs")
    better = evidence.delta > 0
    if evidence.is_binary:
        test = evidence.mcnemar
        detail = f"exact McNemar, {test.wins} wins, {test.losses} losses, CI95 {_ci(evidence)}"
        passed = better and test.p_value < evidence.alpha
        return GateResult("significance", passed, test.p_value, evidence.alpha, detail)
    deltas = evidence.after - evidence.before
    low = evidence.interval(deltas, evidence.scored, 1 - evidence.alpha).low if evidence.alpha > 0 else -math.inf
    detail = f"bootstrap over groups, CI95 {_ci(evidence)}, sign test p {evidence.mcnemar.p_value:.2g}"
    return GateResult("significance", better and low > 0, low, 0.0, detail)


@gate("no-harm")
def no_harm(evidence: Evidence) -> GateResult:
    """Hard-minimum dimensions and both authorities are non-inferior: CI95 lower bound above minus one point."""
    worst, detail, broken = math.inf, "", False
    for part, name in _guarded(evidence):
        deltas, samples = evidence.paired_part(part, name)
        if not len(deltas):
            continue
        ci = evidence.interval(deltas, samples, 0.95)
        if ci.low < worst:
            worst = ci.low
            detail = f"{name}: CI95 [{ci.low:+.3f}, {ci.high:+.3f}]"
        broken = broken or ci.high < -HARM_MARGIN
    if worst is math.inf:
        return GateResult("no-harm", True, None, -HARM_MARGIN, "nothing is guarded")
    return GateResult("no-harm", worst > -HARM_MARGIN, worst, -HARM_MARGIN, detail, broken)


def _guarded(evidence: Evidence) -> Iterator[tuple[str, str]]:
    for rubric in evidence.objective.rubrics:
        for dimension in rubric.dimensions:
            if dimension.hard_min is not None:
                yield "dimension_scores", f"{rubric.key}/{dimension.key}"
    yield "authorities", "reference"
    yield "authorities", "rubric"


@gate("slices")
def slices(evidence: Evidence) -> GateResult:
    """No slice of 50 or more loses over 5 points with Holm-corrected p < 0.05."""
    position = {sample: place for place, sample in enumerate(evidence.scored)}
    rows: list[tuple[str, float, float]] = []
    for name, samples in sorted(evidence.slices.items()):
        places = [position[s] for s in samples if s in position]
        if len(places) >= SLICE_MIN:
            before, after = evidence.before[places], evidence.after[places]
            rows.append((name, float(np.mean(after - before)), _paired_p(evidence, before, after)))
    adjusted = holm([p for _, _, p in rows])
    losing = [
        name for (name, delta, _), p in zip(rows, adjusted, strict=True) if delta < -SLICE_LOSS and p < SLICE_ALPHA
    ]
    worst = min((delta for _, delta, _ in rows), default=None)
    detail = f"losing: {', '.join(losing)}" if losing else f"{len(rows)} slices tested"
    return GateResult("slices", not losing, worst, -SLICE_LOSS, detail, broken=bool(losing))


def _paired_p(evidence: Evidence, before: Floats, after: Floats) -> float:
    if evidence.is_binary:
        return mcnemar_exact(before, after).p_value
    return paired_p_value(before, after)


@gate("cost/latency/error")
def constraints(evidence: Evidence) -> GateResult:
    """The objective's guardrails hold, and errors did not rise by more than a point."""
    before, after = evidence.errors()
    total = max(1, len(evidence.candidate))
    rise = (after - before) / total
    failed = [
        f"{r.constraint.metric} {r.value} not {r.constraint.op} {r.constraint.value}"
        for r in check_constraints(evidence.objective, _metrics(evidence.candidate))
        if not r.held
    ]
    if rise > ERROR_MARGIN:
        failed.append(f"error share rose by {rise:.1%}")
    return GateResult("cost/latency/error", not failed, rise, ERROR_MARGIN, "; ".join(failed), broken=bool(failed))


@gate("multiplicity")
def multiplicity(evidence: Evidence) -> GateResult:
    """The holdout version still has a look left, at the level that look may spend."""
    left = evidence.looks - evidence.look
    used_up = left < 0 or evidence.alpha <= 0
    detail = "the holdout version is retired; draw a new one" if used_up else f"{left} looks left"
    return GateResult("multiplicity", not used_up, evidence.look, evidence.looks, detail, broken=used_up)


@gate("robustness")
def robustness(evidence: Evidence) -> GateResult:
    """The gain has the same sign on at least four of five group folds."""
    sums = [0.0] * FOLDS
    for place, sample in enumerate(evidence.scored):
        sums[_fold(evidence.groups[sample])] += float(evidence.after[place] - evidence.before[place])
    sign = math.copysign(1.0, evidence.delta)
    same = sum(total * sign > 0 for total in sums)
    return GateResult("robustness", same >= FOLDS_NEEDED, same, FOLDS_NEEDED, f"{same} of {FOLDS} folds agree")


def _fold(group: str) -> int:
    return zlib.crc32(group.encode()) % FOLDS


def _metrics(evaluations: tuple[Evaluation, ...]) -> dict[str, float | None]:
    """Aggregates of the holdout; the error rate by its upper 95 % bound, since a few samples may hide many errors."""
    errors = sum(e.score is None for e in evaluations)
    return {**aggregate_metrics(evaluations), "error_rate": rate_upper(errors, len(evaluations))}


def _ci(evidence: Evidence) -> str:
    return f"[{evidence.ci95.low:+.3f}, {evidence.ci95.high:+.3f}]"
