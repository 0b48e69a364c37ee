"""What a validation run knows when its gates decide: paired holdout scores and the facts around them. Immutable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from specloop.improve.evaluation.model import Evaluation
from specloop.improve.objectives.composite import Objective
from specloop.improve.validation.statistics import Interval, McNemar, bootstrap_mean, mcnemar_exact

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Freshness:
    """Whether the ground is still the one the candidate was searched on."""

    base_versions_current: bool = True
    holdout_unburned: bool = True
    duplicates_with_train: int = 0


@dataclass(frozen=True)
class Evidence:
    """Baseline and candidate on the same holdout samples, in the same order.

    `groups` holds one key per sample; `slices` the sample numbers per slice name; `look` counts validations on this
    holdout version from 1; `alpha` is the level of this look.
    """

    objective: Objective
    baseline: tuple[Evaluation, ...]
    candidate: tuple[Evaluation, ...]
    groups: tuple[str, ...]
    slices: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    freshness: Freshness = field(default_factory=Freshness)
    look: int = 1
    looks: int = 5
    alpha: float = 0.025
    min_n: int = 100
    seed: int = 0

    @cached_property
    def scored(self) -> tuple[int, ...]:
        """Numbers of the samples that both sides scored: only these can be paired."""
        both = zip(self.baseline, self.candidate, strict=True)
        return tuple(i for i, (b, c) in enumerate(both) if b.score is not None and c.score is not None)

    @property
    def n(self) -> int:
        """How many pairs there are."""
        return len(self.scored)

    @cached_property
    def before(self) -> Floats:
        """Baseline composites of the pairs."""
        return np.array([self.baseline[i].score for i in self.scored], dtype=np.float64)

    @cached_property
    def after(self) -> Floats:
        """Candidate composites of the pairs."""
        return np.array([self.candidate[i].score for i in self.scored], dtype=np.float64)

    @cached_property
    def delta(self) -> float:
        """Mean paired difference; 0 without pairs."""
        return float(np.mean(self.after - self.before)) if self.n else 0.0

    @cached_property
    def is_binary(self) -> bool:
        """Whether every score is 0 or 1, so that McNemar's test applies."""
        return bool(np.all(np.isin(self.before, (0.0, 1.0))) and np.all(np.isin(self.after, (0.0, 1.0))))

    @cached_property
    def mcnemar(self) -> McNemar:
        """Wins and losses with the exact p-value."""
        return mcnemar_exact(self.before, self.after)

    @cached_property
    def ci95(self) -> Interval:
        """Grouped BCa interval of the mean difference at 95 %."""
        return self.interval(self.after - self.before, self.scored, 0.95)

    def interval(self, deltas: Floats, samples: Sequence[int], confidence: float) -> Interval:
        """Grouped BCa interval of a mean difference over some samples."""
        if not len(deltas):
            return Interval(0.0, 0.0)
        return bootstrap_mean(deltas, [self.groups[i] for i in samples], confidence, self.seed)

    def paired_part(self, part: str, name: str) -> tuple[Floats, tuple[int, ...]]:
        """Differences of one dimension or authority and the samples they belong to; `part` names the field."""
        rows: list[tuple[int, float]] = []
        for i in self.scored:
            old, new = _part(self.baseline[i], part, name), _part(self.candidate[i], part, name)
            if old is not None and new is not None:
                rows.append((i, new - old))
        return np.array([delta for _, delta in rows], dtype=np.float64), tuple(i for i, _ in rows)

    def errors(self) -> tuple[int, int]:
        """How many samples each side has no score for."""
        return sum(e.score is None for e in self.baseline), sum(e.score is None for e in self.candidate)


def _part(evaluation: Evaluation, part: str, name: str) -> float | None:
    scores: Mapping[str, Any] = getattr(evaluation, part)
    return scores.get(name)
