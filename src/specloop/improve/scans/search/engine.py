"""The top door of the loop: Observe → Detect → Cluster → Generate → Evaluate → Diagnose → Safety (spectral.md §2.2).

Pure and seeded: equal problem, budget and seed give equal results. Holdout validation is not part of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from specloop.improve.evaluation.metrics import aggregate_metrics
from specloop.improve.evaluation.model import Evaluation
from specloop.improve.objectives.composite import check_constraints
from specloop.improve.samples.splitting import sample_text
from specloop.improve.scans.clustering import cluster_failures, membership
from specloop.improve.scans.detect import detect_failure, detect_failures
from specloop.improve.scans.diagnose import Lineage, diagnose
from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.problem import (
    Budget,
    Candidate,
    Diagnosis,
    Failure,
    FailureCluster,
    SafetyFinding,
    ScanEvent,
    ScanOutcome,
    SearchProblem,
    SearchResult,
    ShouldStop,
)
from specloop.improve.scans.safety import check_edits
from specloop.improve.scans.search.checkpoint import Checkpoint
from specloop.improve.scans.search.events import EventLog
from specloop.improve.scans.search.generate import generate
from specloop.improve.scans.search.limits import Limits
from specloop.improve.scans.search.proposer import OperatorProposer
from specloop.improve.scans.search.recorder import Recorder
from specloop.improve.scans.search.selection import ERROR_MARGIN, error_share
from specloop.improve.scans.slices import slice_penalty
from specloop.improve.scans.space import Point, Space


def run_search(
    problem: SearchProblem,
    budget: Budget,
    seed: int,
    on_event: Callable[[ScanEvent], None] | None = None,
    should_stop: ShouldStop = lambda: False,
    checkpoint: Mapping[str, Any] | None = None,
    on_checkpoint: Callable[[Mapping[str, Any]], None] | None = None,
) -> SearchResult:
    """Search for a better config on train and val within a hard budget.

    `should_stop` is asked before every round. `checkpoint` is what an interrupted run of the very same problem, budget
    and seed left (`SearchResult.checkpoint` or the last `on_checkpoint`); the run then ends as if never interrupted.

    Raises: CheckpointMismatch for a checkpoint of something else; ValueError for a problem without train or val.
    """
    return _Run(problem, budget, seed, on_event, should_stop, checkpoint, on_checkpoint).run()


class _Run:
    """One search from start to end; every phase is a method."""

    def __init__(
        self,
        problem: SearchProblem,
        budget: Budget,
        seed: int,
        on_event: Callable[[ScanEvent], None] | None,
        should_stop: ShouldStop,
        checkpoint: Mapping[str, Any] | None,
        on_checkpoint: Callable[[Mapping[str, Any]], None] | None,
    ) -> None:
        if not problem.train or not problem.val:
            raise ValueError("a search needs train and val samples")
        self._problem = problem
        self._budget = budget
        self._seed = seed
        self._space = Space(problem.base_config, problem.components)
        saved = Checkpoint.load(checkpoint, problem, self._space, budget, seed)
        self._saved = saved
        self._on_checkpoint = on_checkpoint
        self._events = EventLog(on_event, saved.events)
        self._ledger = Ledger(problem.runtime, problem.scorer, self._space, saved.evaluations)
        self._limits = Limits(
            budget,
            problem.strategy,
            self._ledger,
            len(problem.val),
            should_stop,
            saved.elapsed_seconds,
            saved.evaluation_count,
        )

    def run(self) -> SearchResult:
        baseline = self._observe()
        failures = self._detect(baseline)
        clusters = self._cluster(failures)
        member_of = membership(clusters)
        proposer = OperatorProposer(self._problem, self._space, self._ledger, member_of, self._seed)
        save = self._save if self._on_checkpoint else None
        recorder = Recorder(self._space, self._ledger, proposer, self._events, self._problem.val, save)
        self._events.enter("generate")
        if baseline is None or not self._fails_anywhere(baseline):
            self._limits.reason = "budget" if baseline is None else "perfect"
        else:
            generate(self._problem, self._space, self._ledger, proposer, recorder, self._limits, self._seed)
        return self._finish(recorder, proposer, clusters, member_of)

    def _observe(self) -> list[Evaluation] | None:
        """Run the baseline on train and val; None if the budget cannot pay for it."""
        self._events.enter("observe")
        samples = (*self._problem.train, *self._problem.val)
        limit = self._budget.max_evaluations
        if limit is not None and limit < len(samples):
            return None
        found = self._ledger.evaluate(self._space.base, samples)
        for evaluation in found:
            if evaluation.outcome != "scored":
                type_ = "agent.error" if evaluation.error else "judge.error"
                self._events.emit(type_, sample_id=evaluation.sample_id, detail=evaluation.rationale)
        scores = [e.score for e in found if e.score is not None]
        self._events.emit(
            "baseline.evaluated",
            config_hash=self._space.base.config_hash,
            score=sum(scores) / len(scores) if scores else None,
            evaluations=len(found),
        )
        return found

    def _detect(self, baseline: Sequence[Evaluation] | None) -> list[Failure]:
        """Failures of the baseline on train; val failures are never looked at one by one."""
        self._events.enter("detect")
        train = self._problem.train if baseline else ()
        texts = [sample_text(example.input) for example in train]
        return detect_failures(train, (baseline or [])[: len(train)], texts, self._problem.strategy.target)

    def _cluster(self, failures: Sequence[Failure]) -> tuple[FailureCluster, ...]:
        self._events.enter("cluster")
        clusters = cluster_failures(
            failures, len(self._problem.train), self._problem.embedder, self._problem.scorer.objective.weights()
        )
        for cluster in clusters:
            self._events.emit("cluster.found", key=cluster.key, kind=cluster.kind, size=cluster.size)
            self._events.emit("cluster.named", key=cluster.key, name=cluster.name, severity=cluster.severity)
        return clusters

    def _fails_anywhere(self, baseline: Sequence[Evaluation]) -> bool:
        samples = (*self._problem.train, *self._problem.val)
        target = self._problem.strategy.target
        return any(detect_failure(x, e, "", target) for x, e in zip(samples, baseline, strict=True))

    def _finish(
        self,
        recorder: Recorder,
        proposer: OperatorProposer,
        clusters: tuple[FailureCluster, ...],
        member_of: Mapping[str, str],
    ) -> SearchResult:
        if self._limits.reason == "cancelled":
            # Nothing more is reported: a resumed run takes up the events exactly here.
            return self._result(recorder, clusters, self._winner(recorder), None, None, ())
        self._events.enter("evaluate")
        winner = self._winner(recorder)
        diagnosis: Diagnosis | None = None
        safety: tuple[SafetyFinding, ...] = ()
        final: Point | None = None
        if winner is not None:
            self._events.enter("diagnose")
            point = self._space.of_values(winner.components)
            lineage = Lineage(proposer.origins, _ancestors(recorder.rows, winner), clusters, member_of)
            final, diagnosis = diagnose(self._problem, self._space, self._ledger, point, lineage, self._can_ablate)
            self._events.enter("safety")
            tools = self._problem.base_config.get("tools") or ()
            safety = check_edits(self._space, diagnosis.edits, self._problem.train, tools)
            for finding in safety:
                data = {"gate": f"safety:{finding.check}", "passed": not finding.blocking, "detail": finding.detail}
                self._events.emit("gate.result", **data)
        return self._result(recorder, clusters, winner, final, diagnosis, safety)

    def _winner(self, recorder: Recorder) -> Candidate | None:
        """Best val composite, less what it takes from any slice, under the objective's constraints.

        Ties go to the smaller diff, then the lower cost.
        """
        base = recorder.rows.get(self._space.base.config_hash)
        if base is None or base.val_score is None:
            return None
        baseline_errors = error_share(self._on_val(base))
        eligible = [
            row
            for row in recorder.rows.values()
            if row.accepted
            and len(row.edits) <= self._problem.strategy.max_edits
            and row.val_score is not None
            and row.val_score > base.val_score
            and error_share(self._on_val(row)) <= baseline_errors + ERROR_MARGIN
            and self._within_constraints(row)
        ]
        return min(eligible, key=lambda row: self._preference(base, row), default=None)

    def _preference(self, base: Candidate, row: Candidate) -> tuple[float, int, int, int]:
        cost = sum(e.micro_usd for e in self._on_val(row))
        penalty = slice_penalty(self._problem.val, base.val_by_sample, row.val_by_sample)
        return penalty - (row.val_score or 0.0), len(row.edits), cost, row.index

    def _on_val(self, row: Candidate) -> list[Evaluation]:
        return self._ledger.evaluate(self._space.of_values(row.components), self._problem.val)

    def _within_constraints(self, row: Candidate) -> bool:
        results = check_constraints(self._problem.scorer.objective, aggregate_metrics(self._on_val(row)))
        return all(result.held for result in results)

    def _can_ablate(self) -> bool:
        """The last full train evaluation, for attribution, must stay affordable too."""
        remaining = self._limits.remaining()
        return remaining is None or remaining >= len(self._problem.val) + len(self._problem.train)

    def _result(
        self,
        recorder: Recorder,
        clusters: tuple[FailureCluster, ...],
        winner: Candidate | None,
        final: Point | None,
        diagnosis: Diagnosis | None,
        safety: tuple[SafetyFinding, ...],
    ) -> SearchResult:
        rows = [replace(row, on_frontier=key in recorder.frontier) for key, row in recorder.rows.items()]
        best = winner
        if winner is not None and final is not None and diagnosis is not None:
            best = self._final_candidate(winner, final, diagnosis, len(rows))
            rows += [best] if best.config_hash not in recorder.rows else []
        result = SearchResult(
            outcome=self._outcome(winner, diagnosis, safety),
            stopped_by=self._limits.reason,
            baseline=rows[0] if rows else None,
            best=best,
            best_config=final.config if final else None,
            candidates=tuple(rows),
            clusters=clusters,
            diagnosis=diagnosis,
            safety=safety,
            evaluations=self._ledger.evaluations,
            cache_hits=self._ledger.cache_hits,
            micro_usd=self._ledger.micro_usd,
            seed=self._seed,
            checkpoint=self._checkpoint(),
        )
        if result.outcome != "cancelled":
            self._events.emit("scan.completed", outcome=result.outcome, evaluations=result.evaluations)
        return replace(result, checkpoint=self._checkpoint())

    def _final_candidate(self, winner: Candidate, final: Point, diagnosis: Diagnosis, index: int) -> Candidate:
        if final.config_hash == winner.config_hash:
            return replace(winner, edits=diagnosis.edits)
        scores = {e.sample_id: e.score for e in self._ledger.evaluate(final, self._problem.val) if e.score is not None}
        return Candidate(
            index=index,
            parent_ids=(winner.config_hash,),
            operator="shorten",
            edits=diagnosis.edits,
            config_hash=final.config_hash,
            components=final.values,
            val_score=diagnosis.val_after,
            val_by_sample=scores,
            accepted=True,
        )

    def _outcome(
        self, winner: Candidate | None, diagnosis: Diagnosis | None, safety: tuple[SafetyFinding, ...]
    ) -> ScanOutcome:
        reason = self._limits.reason
        if reason == "cancelled":
            return "cancelled"
        if winner is not None and diagnosis is not None and not any(f.blocking for f in safety):
            return "changesets_proposed"
        if reason == "budget":
            return "budget_exhausted"
        return "no_failures" if reason == "perfect" and winner is None else "no_improvement"

    def _save(self) -> None:
        if self._on_checkpoint is not None and self._events.is_live:
            self._on_checkpoint(self._checkpoint())

    def _checkpoint(self) -> Mapping[str, Any]:
        return self._saved.advanced(self._events, self._ledger, self._limits.elapsed_seconds()).dump()


def _ancestors(rows: Mapping[str, Candidate], winner: Candidate) -> list[str]:
    """The winner's ancestors and itself, oldest first."""
    found: dict[str, int] = {}
    queue = [winner.config_hash]
    while queue:
        config_hash = queue.pop()
        if config_hash not in found:
            found[config_hash] = rows[config_hash].index
            queue.extend(rows[config_hash].parent_ids)
    return sorted(found, key=lambda key: found[key])
