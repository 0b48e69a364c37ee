"""Operators on single numbers: a step against the failure balance, and a re-fit of the abstention threshold."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

from specloop.improve.scans.operators.operator import Proposal, Record, Situation, clamp


class BalanceStep:
    """Raises an abstention number when false calls outweigh missed calls, and lowers it in the other case."""

    kinds = frozenset({"missed_call", "false_call", "wrong_tool"})

    def __init__(self, name: str, role: str) -> None:
        self.name = name
        self.roles = frozenset({role})
        self._role = role

    def propose(self, situation: Situation) -> Proposal | None:
        """One to four steps in the direction of the balance; None if it is even."""
        false_calls = situation.failures("false_call", "wrong_tool")
        missed = situation.failures("missed_call")
        balance = len(false_calls) - len(missed)
        if balance == 0:
            return None
        component = situation.roles[self._role]
        before = float(situation.values[component.name])
        size = component.step * situation.rng.randint(1, 4)
        after = clamp(component, before + (size if balance > 0 else -size))
        blamed = false_calls if balance > 0 else missed
        rationale = f"{len(false_calls)} false or wrong calls against {len(missed)} missed ones in the batch"
        return Proposal({component.name: after}, rationale, tuple(r.sample_id for r in blamed))


class ThresholdRefit:
    """Fits P(calling is right | score) by isotonic regression and puts the threshold where it passes one half."""

    name = "threshold_refit"
    kinds = frozenset({"missed_call", "false_call"})
    roles = frozenset({"abstain_threshold"})

    def propose(self, situation: Situation) -> Proposal | None:
        """The re-fitted threshold; None if the batch holds only one side or the fit is where it already was."""
        component = situation.roles["abstain_threshold"]
        # A call of the wrong tool is wrong at any threshold, so such records say nothing about where it should be.
        usable = [r for r in situation.records if r.top and r.expected in ("", r.top)]
        threshold = _crossing(usable)
        if threshold is None:
            return None
        after = clamp(component, threshold)
        if after == situation.values[component.name]:
            return None
        failing = tuple(r.sample_id for r in usable if r.kind)
        return Proposal({component.name: after}, f"isotonic fit over {len(usable)} train samples", failing)


def _crossing(records: Sequence[Record]) -> float | None:
    right = np.array([r.expected != "" for r in records], dtype=np.float64)
    if right.size == 0 or right.min() == right.max():
        return None
    scores = np.array([r.top_score for r in records])
    order = np.argsort(scores, kind="stable")
    model = cast("Any", IsotonicRegression(y_min=0.0, y_max=1.0))
    fitted: NDArray[np.float64] = model.fit_transform(scores[order], right[order])
    above = np.flatnonzero(fitted >= 0.5)
    if above.size == 0 or above[0] == 0:
        return None
    low, high = scores[order][above[0] - 1], scores[order][above[0]]
    return float((low + high) / 2)


OPERATORS = (
    BalanceStep("threshold_step", "abstain_threshold"),
    BalanceStep("margin_step", "abstain_margin"),
    ThresholdRefit(),
)
