"""Stops the search: budgets, cancellation, a perfect score, or no progress (spectral.md §2.3, §1.4 invariant 11)."""

import time
from collections.abc import Callable
from typing import Any, Literal

from gepa.core.state import GEPAState

from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.problem import Budget, ShouldStop, Strategy

StopReason = Literal["", "budget", "cancelled", "perfect", "patience"]

# An operator may probe a few variants on its batch before it proposes one.
_BATCHES_PER_TASK = 9


class Limits:
    """gepa's stopper. It stops one round early rather than overshoot; `reason` says why it stopped."""

    def __init__(
        self,
        budget: Budget,
        strategy: Strategy,
        ledger: Ledger,
        val_size: int,
        should_stop: ShouldStop,
        elapsed_seconds: float = 0.0,
        replayed_evaluations: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`elapsed_seconds` were spent by an interrupted run; the clock starts once its evaluations are replayed."""
        self._budget = budget
        self._ledger = ledger
        self._strategy = strategy
        self._val_size = val_size
        self._should_stop = should_stop
        self._clock = clock
        self._elapsed = elapsed_seconds
        self._replayed = replayed_evaluations
        self._started: float | None = None
        share = strategy.diagnosis_share if budget.max_evaluations is not None else 0.0
        self._reserve = int((budget.max_evaluations or 0) * share)
        self.reason: StopReason = ""
        self.rounds_without_progress: Callable[[], int] = lambda: 0
        self.candidates: Callable[[], int] = lambda: 0

    def __call__(self, state: "GEPAState[Any, Any]") -> bool:
        """Whether the search must stop before its next round."""
        self.reason = self._check(max(state.program_full_scores_val_set))
        return bool(self.reason)

    def _check(self, best: float) -> StopReason:
        if self._should_stop():
            return "cancelled"
        if best >= self._strategy.target:
            return "perfect"
        if self._spent():
            return "budget"
        return "patience" if self.rounds_without_progress() >= self._strategy.patience else ""

    def _spent(self) -> bool:
        limits, tasks = self._budget, self._strategy.parents * self._strategy.batches_per_parent
        remaining = self.remaining()
        if remaining is not None:
            worst_round = tasks * self._strategy.minibatch * _BATCHES_PER_TASK + self._val_size
            if remaining - self._reserve < worst_round:
                return True
        if limits.max_candidates is not None and self.candidates() >= limits.max_candidates:
            return True
        if limits.max_micro_usd is not None and self._ledger.micro_usd >= limits.max_micro_usd:
            return True
        return limits.max_wall_seconds is not None and self.elapsed_seconds() >= limits.max_wall_seconds

    def remaining(self) -> int | None:
        """Evaluations left, the reserve for diagnosis included; None if unlimited."""
        if self._budget.max_evaluations is None:
            return None
        return max(0, self._budget.max_evaluations - self._ledger.evaluations)

    def affordable(self, candidates: int) -> bool:
        """Whether so many candidates can be evaluated on val without touching the reserve for diagnosis."""
        remaining = self.remaining()
        return remaining is None or remaining - self._reserve >= candidates * self._val_size

    def elapsed_seconds(self) -> float:
        """Working time so far, replay of an earlier run not counted twice."""
        if self._ledger.evaluations < self._replayed:
            return self._elapsed
        if self._started is None:
            self._started = self._clock()
        return self._elapsed + self._clock() - self._started
