"""Which parents to mutate next: draws from the per-sample Pareto frontier (spectral.md §2.3)."""

import random
from collections.abc import Mapping, Sequence
from typing import Any, cast

from gepa.core.state import GEPAState


def frontier_weights(fronts: Sequence[frozenset[int]], scores: Sequence[float]) -> dict[int, int]:
    """For each undominated candidate the number of val samples it is best on, by candidate number.

    A candidate is dominated if on every sample where it is best another remaining one is best too; the weakest by mean
    score is tested first.
    """
    where: dict[int, set[int]] = {}
    for sample, front in enumerate(fronts):
        for candidate in front:
            where.setdefault(candidate, set()).add(sample)
    covered = [len(front) for front in fronts]
    for candidate in sorted(where, key=lambda c: (scores[c], c)):
        if all(covered[sample] > 1 for sample in where[candidate]):
            for sample in where.pop(candidate):
                covered[sample] -= 1
    return {candidate: len(samples) for candidate, samples in sorted(where.items())}


class FrontierSelector:
    """gepa's candidate selector. gepa's own one removes dominated candidates in quadratic time per draw."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def select_candidate_idx(self, state: "GEPAState[Any, Any]") -> int:
        """A candidate number, drawn by its frontier weight."""
        weights = current_weights(state)
        return self._rng.choices(list(weights), list(weights.values()))[0]


def current_weights(state: "GEPAState[Any, Any]") -> dict[int, int]:
    """Frontier weights of a running gepa search."""
    # The keys' type depends on gepa's frontier kind; only the sets of candidate numbers matter here.
    mapping = cast("Mapping[Any, set[int]]", cast("Any", state).get_pareto_front_mapping())
    return frontier_weights([frozenset(front) for front in mapping.values()], state.program_full_scores_val_set)
