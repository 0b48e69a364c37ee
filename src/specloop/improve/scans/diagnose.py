"""Explains the winner and makes its diff as short as it can be (spectral.md §2.2 phase 6).

Ablation uses val scores only; attribution to clusters uses train failures. Holdout samples are out of reach here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.scans.detect import detect_failures
from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.operators.origin import Origin
from specloop.improve.scans.problem import (
    Ablation,
    ClusterShare,
    Diagnosis,
    Edit,
    FailureCluster,
    Regression,
    SearchProblem,
)
from specloop.improve.scans.slices import slice_penalty
from specloop.improve.scans.space import Point, Space

KEPT_GAIN = 0.95
_EVIDENCE_LIMIT = 20


def shorten(
    space: Space, winner: Point, score: Callable[[Point, Point], tuple[float, float]], affordable: Callable[[], bool]
) -> tuple[Point, tuple[Ablation, ...]]:
    """Take back edits that do not earn their place; the rest keeps at least 95 % of the winner's gain on val.

    `score(point, near)` gives the (val, train) composites: val decides, and train breaks the many ties of rare words.
    `affordable` says whether one more may be computed. Groups are tried before their halves, so that a long list of
    idle edits costs little.
    """
    (base, _), (full, _) = score(space.base, winner), score(winner, space.base)
    floor = base + KEPT_GAIN * (full - base)
    ablations: dict[str, Ablation] = {}
    current = winner
    queue: list[tuple[Edit, ...]] = [space.edits(space.base, winner)]
    while queue and affordable():
        group = queue.pop()
        without = space.of_values(space.without(current.values, group))
        before, after = score(current, winner), score(without, current)
        if after >= before and after[0] >= floor and without is not space.base:
            current = without
            ablations.update((e.pointer, Ablation(e.pointer, after[0] - before[0], kept=False)) for e in group)
        elif len(group) == 1:
            ablations[group[0].pointer] = Ablation(group[0].pointer, after[0] - before[0], kept=True)
        else:
            middle = len(group) // 2
            queue += [group[middle:], group[:middle]]
    return current, tuple(ablations[pointer] for pointer in sorted(ablations))


@dataclass(frozen=True, slots=True)
class Lineage:
    """How the winner came about: origins by config hash, its ancestors oldest first, and the train failures' clusters.

    `member_of` maps train sample ids to the key of their finest cluster.
    """

    origins: Mapping[str, Origin]
    ancestors: Sequence[str]
    clusters: Sequence[FailureCluster]
    member_of: Mapping[str, str]


def explain_edits(space: Space, final: Point, lineage: Lineage) -> tuple[Edit, ...]:
    """The final edits, each with the operator, rationale and train evidence of the step that last set its value."""
    sources: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    for config_hash in lineage.ancestors:
        origin = lineage.origins.get(config_hash)
        for step in origin.steps if origin else ():
            proposal = step.proposal
            for name in proposal.changes:
                sources[name] = (step.operator, proposal.rationale, proposal.sample_ids)
            for path, reason in proposal.reasons.items():
                sources[path] = (step.operator, reason.text, reason.sample_ids)
    return tuple(_explained(space, edit, sources, lineage.member_of) for edit in space.edits(space.base, final))


def _explained(
    space: Space, edit: Edit, sources: Mapping[str, tuple[str, str, tuple[str, ...]]], clusters: Mapping[str, str]
) -> Edit:
    name, key = space.locate(edit.pointer)
    found = sources.get(f"{name}/{key}") if key is not None else None
    operator, rationale, sample_ids = found or sources.get(name, ("", "", ()))
    by_cluster: dict[str, list[str]] = {}
    for sample_id in sample_ids[:_EVIDENCE_LIMIT]:
        by_cluster.setdefault(clusters.get(sample_id, ""), []).append(sample_id)
    evidence = tuple({"cluster_id": key or None, "sample_ids": ids} for key, ids in sorted(by_cluster.items()))
    return replace(edit, operator=operator, rationale=rationale, evidence=evidence)


def attribute(
    problem: SearchProblem, clusters: Sequence[FailureCluster], after: Sequence[Evaluation]
) -> tuple[ClusterShare, ...]:
    """How each cluster's share of the train samples changed under the final config."""
    total = max(1, len(problem.train))
    texts = [""] * len(problem.train)
    still = {failure.sample_id for failure in detect_failures(problem.train, after, texts, problem.strategy.target)}
    return tuple(
        ClusterShare(c.key, c.size / total, len(left) / total, c.size - len(left))
        for c in clusters
        for left in [still.intersection(c.members)]
    )


def regressions(before: Sequence[Evaluation], after: Sequence[Evaluation]) -> tuple[Regression, ...]:
    """Val samples that got worse, by sample id."""
    rows = ((b.sample_id, b.score, a.score) for b, a in zip(before, after, strict=True))
    worse = [Regression(i, old, new) for i, old, new in rows if old is not None and new is not None and new < old]
    return tuple(sorted(worse, key=lambda r: r.sample_id))


def diagnose(
    problem: SearchProblem,
    space: Space,
    ledger: Ledger,
    winner: Point,
    lineage: Lineage,
    affordable: Callable[[], bool],
) -> tuple[Point, Diagnosis]:
    """Shorten the winner, then say what each edit is worth, which clusters it addresses and what got worse."""

    def mean(point: Point, near: Point, samples: Sequence[Example]) -> float:
        known = [e.score for e in ledger.evaluate(point, samples, near) if e.score is not None]
        return sum(known) / len(known) if known else 0.0

    def by_sample(point: Point, near: Point) -> dict[str, float]:
        found = ledger.evaluate(point, problem.val, near)
        return {e.sample_id: e.score for e in found if e.score is not None}

    def score(point: Point, near: Point) -> tuple[float, float]:
        # As the winner was chosen: an edit that keeps a slice from losing has earned its place.
        penalty = slice_penalty(problem.val, by_sample(space.base, near), by_sample(point, near))
        return mean(point, near, problem.val) - penalty, mean(point, near, problem.train)

    final, ablations = shorten(space, winner, score, affordable)
    base_score = mean(space.base, winner, problem.val)
    full_score = mean(winner, space.base, problem.val)
    final_score = mean(final, winner, problem.val)
    gain = full_score - base_score
    return final, Diagnosis(
        edits=explain_edits(space, final, lineage),
        ablations=ablations,
        attribution=attribute(problem, lineage.clusters, ledger.evaluate(final, problem.train, winner)),
        regressions=regressions(ledger.evaluate(space.base, problem.val), ledger.evaluate(final, problem.val)),
        val_before=base_score,
        val_after=final_score,
        kept_share=(final_score - base_score) / gain if gain > 0 else 0.0,
    )
