"""Watches the gepa engine: keeps a row per candidate, tells the bandit, and reports router 7's events."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from gepa.proposer.base import CandidateProposal

from specloop.improve.evaluation.model import Evaluation, Example
from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.problem import Candidate
from specloop.improve.scans.search.events import EventLog
from specloop.improve.scans.search.frontier import current_weights
from specloop.improve.scans.search.proposer import OperatorProposer
from specloop.improve.scans.space import Point, Space

_CHECKPOINT_EVERY = 10


class Recorder:
    """A gepa callback. `rows` holds the candidates in order of proposal, the baseline first."""

    def __init__(
        self,
        space: Space,
        ledger: Ledger,
        proposer: OperatorProposer,
        events: EventLog,
        val: Sequence[Example],
        save: Callable[[], None] | None = None,
    ) -> None:
        """`save` stores a checkpoint; it is called every few rounds."""
        self._space = space
        self._ledger = ledger
        self._proposer = proposer
        self._events = events
        self._val = val
        self._save = save
        self.rows: dict[str, Candidate] = {}
        self.pool: list[str] = []
        self.idle_rounds = 0
        self.frontier: frozenset[str] = frozenset()

    def on_optimization_end(self, event: Mapping[str, Any]) -> None:
        """Keep the final frontier."""
        self.frontier = frozenset(self.pool[index] for index in current_weights(event["final_state"]))

    def on_iteration_start(self, event: Mapping[str, Any]) -> None:
        """Count rounds without a new candidate, for the early stop."""
        del event
        self.idle_rounds += 1

    def on_valset_evaluated(self, event: Mapping[str, Any]) -> None:
        """A candidate joined the pool: the baseline, an accepted mutation or a merge."""
        point = self._space.point(event["candidate"])
        parents = tuple(self.pool[index] for index in cast("list[int]", event["parent_ids"]))
        evaluations = self._ledger.evaluate(point, self._val)
        row = self.rows.get(point.config_hash) or self._row(point, parents, "merge" if parents else "baseline")
        self.rows[point.config_hash] = _evaluated(row, evaluations)
        self.pool.append(point.config_hash)
        self.idle_rounds = 0
        self._events.emit("candidate.evaluated", candidate=point.config_hash, val_score=event["average_score"])
        if parents:
            self._events.emit("candidate.accepted", candidate=point.config_hash, operator=row.operator)

    def on_pareto_front_updated(self, event: Mapping[str, Any]) -> None:
        """The frontier changed."""
        displaced = len(event["displaced_candidates"])
        self._events.emit("frontier.updated", size=len(event["new_front"]), displaced=displaced)

    def on_merge_attempted(self, event: Mapping[str, Any]) -> None:
        """A merge of two pool members was tried on a few val samples."""
        self._events.emit("merge.attempted", parents=[self.pool[i] for i in event["parent_ids"]])

    def on_merge_accepted(self, event: Mapping[str, Any]) -> None:
        """The merge joined the pool."""
        self._events.emit("merge.accepted", candidate=self.pool[event["new_candidate_idx"]])

    def on_merge_rejected(self, event: Mapping[str, Any]) -> None:
        """The merge was worse than a parent."""
        self._events.emit("merge.rejected", reason=event["reason"])

    def on_iteration_end(self, event: Mapping[str, Any]) -> None:
        """Report the budget, and now and then a checkpoint."""
        used = {"evaluations": self._ledger.evaluations, "micro_usd": self._ledger.micro_usd}
        self._events.emit("budget.updated", candidates=len(self.rows), **used)
        if event["iteration"] % _CHECKPOINT_EVERY == 0:
            if self._save is not None:
                self._save()
            self._events.emit("checkpoint.saved", iteration=event["iteration"], **used)

    def proposed(self, proposal: "CandidateProposal[Any]") -> str:
        """Note a mini-batch-evaluated mutation; returns its config hash."""
        point = self._space.point(proposal.candidate)
        parents = tuple(self.pool[index] for index in proposal.parent_program_ids)
        scores = proposal.subsample_scores_after or []
        row = self._row(point, parents, self._proposer.origins[point.config_hash].operator)
        mean = sum(scores) / len(scores) if scores else 0.0
        self.rows[point.config_hash] = replace(row, mb_score=mean)
        self._events.emit("candidate.proposed", candidate=point.config_hash, operator=row.operator, mb_score=mean)
        return point.config_hash

    def rejected(self, config_hash: str, reason: str) -> None:
        """Note why a mutation did not join the pool."""
        self.rows[config_hash] = replace(self.rows[config_hash], reject_reason=reason)
        self._events.emit("candidate.rejected", candidate=config_hash, reason=reason)

    def _row(self, point: Point, parents: tuple[str, ...], operator: str) -> Candidate:
        return Candidate(
            len(self.rows),
            parents,
            operator,
            self._space.edits(self._space.base, point),
            point.config_hash,
            point.values,
        )


def _evaluated(row: Candidate, evaluations: Sequence[Evaluation]) -> Candidate:
    scored = {e.sample_id: e.score for e in evaluations if e.score is not None}
    sums: dict[str, list[float]] = {}
    for evaluation in evaluations:
        for name, value in evaluation.dimension_scores.items():
            if value is not None:
                sums.setdefault(name, []).append(value)
    return replace(
        row,
        accepted=True,
        val_score=sum(scored.values()) / len(scored) if scored else None,
        val_by_sample=scored,
        objective_scores={name: sum(values) / len(values) for name, values in sums.items()},
    )
