"""Joins our evaluations to the gepa engine: scores and trajectories out, reflective records in (spectral.md §2.0).

The records made here are all a proposer ever sees, and they come from train batches only.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gepa.core.adapter import EvaluationBatch

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.space import Point, Space


class SearchAdapter:
    """gepa's single integration point, on our ledger and search space."""

    # gepa looks the attribute up; proposals come from its `custom_candidate_proposer` instead.
    propose_new_texts = None

    def __init__(self, space: Space, ledger: Ledger, parent_of: Callable[[Point], Point | None]) -> None:
        """`parent_of` names the config that a candidate was made from, if it is known."""
        self._space = space
        self._ledger = ledger
        self._parent_of = parent_of

    def evaluate(
        self, batch: list[Example], candidate: dict[str, str], capture_traces: bool = False
    ) -> EvaluationBatch[Evaluation, Evaluation]:
        """Evaluate a candidate; the evaluations are outputs and trajectories in one."""
        del capture_traces
        point = self._space.point(candidate)
        evaluations = self._ledger.evaluate(point, batch, self._parent_of(point))
        return EvaluationBatch(evaluations, gepa_scores(evaluations), evaluations)

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],
        eval_batch: EvaluationBatch[Evaluation, Evaluation],
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """One record per evaluated train sample, the same for every component."""
        del candidate
        records = [{"evaluation": evaluation} for evaluation in eval_batch.trajectories or ()]
        return dict.fromkeys(components_to_update, records)


def gepa_scores(evaluations: Sequence[Evaluation]) -> list[float]:
    """Scores as gepa needs them, one float each.

    An evaluation without a score stands in with the mean of the others: it must neither help nor hurt, and acceptance
    looks at errors on its own.
    """
    known = [e.score for e in evaluations if e.score is not None]
    stand_in = sum(known) / len(known) if known else 0.0
    return [stand_in if e.score is None else e.score for e in evaluations]
