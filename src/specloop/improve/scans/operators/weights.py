"""Golden section along one entry of a small map of numeric weights."""

import math
from collections.abc import Callable

from specloop.improve.scans.operators.operator import Proposal, Situation, clamp

_GOLDEN = (math.sqrt(5) - 1) / 2
_PROBES = 4


class GoldenSection:
    """Searches one weight for the best batch score by golden section between its bounds."""

    name = "weight_golden_section"
    kinds = frozenset[str]()
    roles = frozenset({"weights"})

    def propose(self, situation: Situation) -> Proposal | None:
        """The best probed value of a randomly drawn weight; None if no probe beats the current batch score."""
        component = situation.roles["weights"]
        weights: dict[str, float] = dict(situation.values[component.name])
        if not weights:
            return None
        key = situation.rng.choice(sorted(weights))

        def score(value: float) -> float:
            return situation.probe({component.name: {**weights, key: clamp(component, value)}})

        # Around the current value rather than over the whole range: far away the score is flat.
        low = max(component.minimum, weights[key] * 0.25)
        high = min(component.maximum, weights[key] * 3.0 + component.step)
        best_score, best = _golden(score, low, high)
        if best_score <= score(weights[key]):
            return None
        after = clamp(component, best)
        return Proposal({component.name: {**weights, key: after}}, f"golden section along {key}: {after}")


def _golden(score: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """(score, value) of the best of a few golden-section probes for a maximum in [low, high]."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = score(left), score(right)
    best = max((at_left, left), (at_right, right))
    for _ in range(_PROBES - 2):
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = score(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = score(right)
        best = max(best, (at_left, left), (at_right, right))
    return best


OPERATORS = (GoldenSection(),)
