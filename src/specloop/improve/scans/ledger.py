"""Evaluates configs on samples, each pair once, and keeps count (spectral.md §1.4 invariant 11).

The cache key is (config hash, sample, repeat, judges); judges are fixed for one ledger. It must not know the search.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from specloop.improve.evaluation.model import Evaluation, Example, Scorer
from specloop.improve.scans.space import Point, Space
from specloop.run.runtime import AgentRuntime


class Ledger:
    """Counts evaluations and cache hits. `journal` holds finished evaluations of an earlier, interrupted run."""

    def __init__(
        self, runtime: AgentRuntime, scorer: Scorer, space: Space, journal: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._runtime = runtime
        self._scorer = scorer
        self._space = space
        self._found: dict[str, dict[str, Evaluation]] = {}
        self._journal = {(row["config_hash"], row["sample_id"], row["repeat"]): row for row in journal}
        self.evaluations = 0
        self.cache_hits = 0
        self.micro_usd = 0

    def evaluate(self, point: Point, examples: Sequence[Example], near: Point | None = None) -> list[Evaluation]:
        """The evaluations of one config, in the order of `examples`.

        `near` is a config whose evaluations may be known: where the runtime says that the edits between the two cannot
        reach a sample, its evaluation holds for both and is not made again.
        """
        known = self._found.setdefault(point.config_hash, {})
        if near is not None and near is not point and self._scorer.is_pure:
            self._carry_over(point, examples, near, known)
        todo = list({e.id: e for e in examples if e.id not in known}.values())
        self.cache_hits += len(examples) - len(todo)
        if todo:
            self._evaluate_new(point, todo, known)
        return [known[example.id] for example in examples]

    def _carry_over(self, point: Point, examples: Sequence[Example], near: Point, known: dict[str, Evaluation]) -> None:
        there = self._found.get(near.config_hash, {})
        shared = [e for e in examples if e.id in there and e.id not in known]
        pointers = [edit.pointer for edit in self._space.edits(near, point)]
        reached = self._runtime.affected(pointers, [e.input for e in shared])
        known.update((e.id, there[e.id]) for e, hit in zip(shared, reached, strict=True) if not hit)

    def known(self, point: Point) -> Mapping[str, Evaluation]:
        """What has been evaluated of a config so far, by sample id."""
        return self._found.get(point.config_hash, {})

    def journal(self) -> list[dict[str, Any]]:
        """All evaluations as JSON rows. A deterministic runtime recomputes them faster than they load: empty then."""
        if self._runtime.deterministic:
            return []
        return [
            {"config_hash": config_hash, "repeat": 0, "judges": self._scorer.identity, **asdict(evaluation)}
            for config_hash, found in self._found.items()
            for evaluation in found.values()
        ]

    def _evaluate_new(self, point: Point, todo: Sequence[Example], known: dict[str, Evaluation]) -> None:
        replayed = [e for e in todo if (point.config_hash, e.id, 0) in self._journal]
        for example in replayed:
            known[example.id] = self._replay(self._journal[point.config_hash, example.id, 0])
        fresh = [e for e in todo if e.id not in known] if replayed else todo
        outputs = self._runtime.run_batch(point.config, [e.input for e in fresh])
        for example, output in zip(fresh, outputs, strict=True):
            known[example.id] = self._scorer.score(point.config_hash, example, output)
        # A replayed evaluation counts like a fresh one, so that a resumed run ends exactly where an unbroken one does.
        self.evaluations += len(todo)
        for example in todo:
            self.micro_usd += known[example.id].micro_usd

    def _replay(self, row: Mapping[str, Any]) -> Evaluation:
        fields: dict[str, Any] = {name: row[name] for name in Evaluation.__dataclass_fields__}
        fields["broken"] = tuple(fields["broken"])
        return Evaluation(**fields)
