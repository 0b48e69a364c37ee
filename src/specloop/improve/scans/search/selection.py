"""Which mini-batch-tested mutations join the pool (spectral.md §2.3): strictly better on the same samples, no more
errors than before, and only while the budget can pay for their full evaluation on val.
"""

from collections.abc import Callable, Sequence
from typing import Any

from gepa.core.state import GEPAState
from gepa.proposer.base import CandidateProposal
from gepa.strategies.acceptance import AcceptanceCriterion

from specloop.improve.evaluation.model import Evaluation
from specloop.improve.scans.search.proposer import OperatorProposer
from specloop.improve.scans.search.recorder import Recorder

# A candidate whose error share exceeds its parent's by more than this is refused (spectral.md §1.4 invariant 7).
ERROR_MARGIN = 0.01


class PairedSelection:
    """gepa's selection strategy: the single place that accepts or rejects a mutation."""

    def __init__(self, recorder: Recorder, proposer: OperatorProposer, affordable: Callable[[int], bool]) -> None:
        """`affordable(n)` says whether the n-th accepted candidate of this round can still be evaluated on val."""
        self._recorder = recorder
        self._proposer = proposer
        self._affordable = affordable

    def select(
        self,
        proposals: "list[CandidateProposal[Any]]",
        state: "GEPAState[Any, Any]",
        acceptance_criterion: AcceptanceCriterion,
    ) -> "list[CandidateProposal[Any]]":
        """The accepted proposals; every other one is recorded with its reason."""
        del state, acceptance_criterion
        accepted: list[CandidateProposal[Any]] = []
        for proposal in proposals:
            config_hash = self._recorder.proposed(proposal)
            reason = self._objection(proposal, len(accepted) + 1)
            origin = self._proposer.origins[config_hash]
            for step in origin.steps:
                self._proposer.bandit.learn(step.kind, step.operator, accepted=not reason)
            if reason:
                self._recorder.rejected(config_hash, reason)
            else:
                accepted.append(proposal)
        return accepted

    def _objection(self, proposal: "CandidateProposal[Any]", place: int) -> str:
        before, after = proposal.eval_before, proposal.eval_after
        if before is None or after is None:
            return "the mutation was not evaluated"
        reason = compare(before.outputs, after.outputs)
        if not reason and not self._affordable(place):
            return "the budget cannot pay for a full evaluation"
        return reason


def compare(before: Sequence[Evaluation], after: Sequence[Evaluation]) -> str:
    """Why `after` is not an improvement over `before` on the same samples; empty if it is one.

    Only samples that both sides scored count. Equal sums are no improvement.
    """
    if error_share(after) > error_share(before) + ERROR_MARGIN:
        return f"errors rose from {error_share(before):.1%} to {error_share(after):.1%}"
    pairs = [(b.score, a.score) for b, a in zip(before, after, strict=True)]
    known = [(b, a) for b, a in pairs if b is not None and a is not None]
    old, new = sum(b for b, _ in known), sum(a for _, a in known)
    return "" if new > old else f"mini-batch score {new:g} is not above {old:g}"


def error_share(evaluations: Sequence[Evaluation]) -> float:
    """Share of evaluations without a score."""
    return sum(e.score is None for e in evaluations) / len(evaluations) if evaluations else 0.0
