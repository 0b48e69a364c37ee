"""One search from a spec to messages: events, checkpoints, then the result or an error. Knows no store, no process.

Every message is a JSON object with a `type`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from specloop.errors import SpecloopError
from specloop.improve.evaluation.model import Evaluation, Example, Scorer
from specloop.improve.objectives.composite import Objective
from specloop.improve.scans.packing import pack
from specloop.improve.scans.problem import Candidate, ScanEvent, SearchProblem, SearchResult
from specloop.improve.scans.runner.spec import SearchSpec, problem_of
from specloop.improve.scans.search.checkpoint import CheckpointMismatch
from specloop.improve.scans.search.engine import run_search
from specloop.run.runtime import Output

Send = Callable[[dict[str, Any]], None]


class RecordingScorer:
    """A scorer that keeps what it found, by config hash, so that evaluations can be shown afterwards."""

    def __init__(self, inner: Scorer) -> None:
        self._inner = inner
        self.found: dict[str, list[Evaluation]] = {}
        self.phase = "observe"
        self.by_phase: dict[str, int] = {}

    @property
    def identity(self) -> str:
        """The inner scorer's."""
        return self._inner.identity

    @property
    def objective(self) -> Objective:
        """The inner scorer's."""
        return self._inner.objective

    @property
    def is_pure(self) -> bool:
        """The inner scorer's."""
        return self._inner.is_pure

    def score(self, config_hash: str, example: Example, output: Output) -> Evaluation:
        """Score and keep."""
        evaluation = self._inner.score(config_hash, example, output)
        self.found.setdefault(config_hash, []).append(evaluation)
        self.by_phase[self.phase] = self.by_phase.get(self.phase, 0) + 1
        return evaluation


class Searching:
    """Runs a spec; `stop` may be called from any thread and ends the search before its next round."""

    def __init__(self, spec: SearchSpec, send: Send) -> None:
        self._spec = spec
        self._send = send
        self._stop = threading.Event()
        self._has_stopped = False
        self._scorer: RecordingScorer | None = None

    def stop(self) -> None:
        """End the search at its next checkpoint."""
        self._stop.set()

    def run(self) -> None:
        """Search and send everything; never raises for what a search can do wrong."""
        started = time.process_time()
        try:
            problem, budget = problem_of(self._spec)
            self._scorer = RecordingScorer(problem.scorer)
            recorded = replace(problem, scorer=self._scorer)
            result = self._search(recorded, budget)
        except SpecloopError as error:
            self._send({"type": "error", "code": error.code, "detail": error.detail})
            return
        except (ValueError, LookupError) as error:
            self._send({"type": "error", "code": "bad-problem", "detail": str(error)})
            return
        cpu_ms = (time.process_time() - started) * 1000
        self._send(self._result_message(recorded, result, self._scorer, cpu_ms))

    def _search(self, problem: SearchProblem, budget: Any) -> SearchResult:
        def search(checkpoint: Mapping[str, Any] | None) -> SearchResult:
            return run_search(
                problem, budget, self._spec.seed, self._on_event, self._should_stop, checkpoint, self._on_checkpoint
            )

        try:
            return search(self._spec.checkpoint)
        except CheckpointMismatch:
            return search(None)  # another engine version left it: start over rather than guess

    def _should_stop(self) -> bool:
        self._has_stopped = self._has_stopped or self._stop.is_set()
        return self._has_stopped

    def _on_event(self, event: ScanEvent) -> None:
        # What follows a stop (phases without work, a premature end) would not be there in an uninterrupted run.
        if self._has_stopped or event.type == "scan.completed":
            return
        if self._scorer is not None and event.type == "scan.phase":
            self._scorer.phase = event.phase
        number = event.seq
        self._send({"type": "event", "number": number, "name": event.type, "phase": event.phase, "data": event.data})

    def _on_checkpoint(self, state: Mapping[str, Any]) -> None:
        if not self._has_stopped:
            self._send({"type": "checkpoint", "state": state})

    def _result_message(
        self, problem: SearchProblem, result: SearchResult, scorer: RecordingScorer, cpu_ms: float
    ) -> dict[str, Any]:
        if self._has_stopped:
            return {"type": "stopped", "state": result.checkpoint, "evaluations": result.evaluations}
        by_phase = dict(scorer.by_phase)  # before baseline and best are run again to be shown
        body = asdict(result)
        body["candidates"] = [_candidate(one) for one in body["candidates"]]
        return {
            "type": "result",
            "result": {**body, "best": _candidate(body["best"]) if body["best"] else None},
            "evaluations": _packed(problem, result, scorer.found),
            "by_phase": by_phase,
            "cpu_ms": cpu_ms,
        }


def _candidate(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != "val_by_sample"}


def _packed(
    problem: SearchProblem, result: SearchResult, found: Mapping[str, Sequence[Evaluation]]
) -> dict[str, dict[str, Any]]:
    places = {example.id: place for place, example in enumerate((*problem.train, *problem.val))}
    train = {example.id for example in problem.train}
    shown = _shown_in_full(problem, result)
    packed: dict[str, dict[str, Any]] = {}
    for candidate in result.candidates:
        own = shown.get(candidate.config_hash) or _known(candidate, found.get(candidate.config_hash, ()))
        is_full = candidate.config_hash in shown
        parts = {
            "train": [one for one in own if one.sample_id in train],
            "val": [one for one in own if one.sample_id not in train],
        }
        packed[candidate.config_hash] = {
            split: pack(rows, places, is_full=is_full) for split, rows in parts.items() if rows
        }
    return packed


def _known(candidate: Candidate, scored: Sequence[Evaluation]) -> list[Evaluation]:
    """What was scored of a candidate, and what the engine carried over from a config that cannot differ there."""
    own = {one.sample_id: one for one in scored}
    carried = (Evaluation(key, "scored", score) for key, score in candidate.val_by_sample.items() if key not in own)
    return [*own.values(), *carried]


def _shown_in_full(problem: SearchProblem, result: SearchResult) -> dict[str, list[Evaluation]]:
    """Baseline and best with outputs and rationales; they are run again, which only a deterministic agent bears."""
    if not problem.runtime.deterministic:
        return {}
    configs: dict[str, Any] = {}
    if result.baseline is not None:
        configs[result.baseline.config_hash] = problem.base_config
    if result.best is not None and result.best_config is not None:
        configs[result.best.config_hash] = result.best_config
    samples = (*problem.train, *problem.val)
    found: dict[str, list[Evaluation]] = {}
    for config_hash, config in configs.items():
        outputs = problem.runtime.run_batch(config, [sample.input for sample in samples])
        pairs = zip(samples, outputs, strict=True)
        found[config_hash] = [problem.scorer.score(config_hash, sample, output) for sample, output in pairs]
    return found
