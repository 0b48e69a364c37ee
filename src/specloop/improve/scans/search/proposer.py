"""Turns a parent and its mini-batch into a changed candidate by asking operators (spectral.md §2.3, §2.4)."""

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from specloop.improve.evaluation.model import Evaluation
from specloop.improve.scans.detect import detect_failure, label_of
from specloop.improve.scans.ledger import Ledger
from specloop.improve.scans.operators import Bandit, Labelled, Record, Situation, Vocabulary, operators_for
from specloop.improve.scans.operators.origin import Origin, Step
from specloop.improve.scans.problem import SearchProblem
from specloop.improve.scans.space import Point, Space, texts_of

_TRIES = 4


class OperatorProposer:
    """gepa's custom candidate proposer. It remembers the origin of every candidate it made, by config hash."""

    def __init__(
        self, problem: SearchProblem, space: Space, ledger: Ledger, clusters: Mapping[str, str], seed: int
    ) -> None:
        """`clusters` maps train sample ids to the key of the failure cluster they are in."""
        self._space = space
        self._ledger = ledger
        self._clusters = clusters
        self._target = problem.strategy.target
        self._max_edits = problem.strategy.max_edits
        self._rng = random.Random(f"proposer:{seed}")
        self.bandit = Bandit(self._rng)
        self._examples = problem.train
        self._probe_size = problem.strategy.minibatch
        self._probe_set = list(problem.train[: self._probe_size])
        self._train = {example.id: example for example in problem.train}
        self._terms = {example.id: problem.runtime.terms(example.input) for example in problem.train}
        self._labelled = tuple(self._label_all(problem))
        self._vocabulary = Vocabulary((sample.terms, sample.expected) for sample in self._labelled)
        self._operators = operators_for(space.components)
        self._roles = {c.role: c for c in space.components.values() if c.role}
        self.origins: dict[str, Origin] = {}

    def __call__(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """Changed component texts; empty if no operator has an idea that was not tried before."""
        parent = self._space.point(candidate)
        rows = next(iter(reflective_dataset.values()), ())
        records = tuple(self._record(row["evaluation"]) for row in rows)
        self._probe_set = self._rng.sample(self._examples, min(self._probe_size, len(self._examples)))
        point, steps = parent, list[Step]()
        for kind in self.bandit.order_kinds(records):
            step = self._step(point, records, kind)
            if step is not None:
                steps.append(step)
                point = self._space.of_values({**point.values, **step.proposal.changes})
        if not steps or point.config_hash in self.origins or point is self._space.base:
            return {}
        self.origins[point.config_hash] = Origin(parent, tuple(steps))
        return texts_of({name: point.values[name] for step in steps for name in step.proposal.changes})

    def parent_of(self, point: Point) -> Point | None:
        """The config that a proposed candidate was made from."""
        origin = self.origins.get(point.config_hash)
        return origin.parent if origin else None

    def _step(self, point: Point, records: tuple[Record, ...], kind: str) -> Step | None:
        """The first proposal among the operators that the bandit ranks best for a failure kind."""
        for operator in self.bandit.rank(kind, self._operators)[:_TRIES]:
            proposal = operator.propose(self._situation(point, records, kind))
            if proposal is not None:
                return Step(kind, operator.name, proposal)
        return None

    def _situation(self, start: Point, records: tuple[Record, ...], kind: str) -> Situation:
        examples = self._probe_set

        def probe(changes: Mapping[str, Any]) -> float:
            point = self._space.of_values({**start.values, **changes}) if changes else start
            scores = [e.score for e in self._ledger.evaluate(point, examples, start) if e.score is not None]
            return sum(scores) / len(scores) if scores else 0.0

        return Situation(
            values=start.values,
            components=self._space.components,
            records=records,
            vocabulary=self._vocabulary,
            rng=self._rng,
            probe=probe,
            train=self._labelled,
            base=self._space.base.values,
            edits=len(self._space.edits(self._space.base, start)),
            max_edits=self._max_edits,
            kind=kind,
            roles=self._roles,
        )

    def _label_all(self, problem: SearchProblem) -> Iterator[Labelled]:
        for example in problem.train:
            expected = label_of(example.reference)
            if expected is not None:
                features = problem.runtime.features(problem.base_config, example.input)
                failing = example.id in self._clusters
                yield Labelled(example.id, self._terms[example.id], features, expected, failing)

    def _record(self, evaluation: Evaluation) -> Record:
        example = self._train[evaluation.sample_id]
        failure = detect_failure(example, evaluation, "", self._target)
        detail = evaluation.detail
        return Record(
            sample_id=example.id,
            kind=failure.kind if failure else "",
            terms=self._terms[example.id],
            chosen=label_of(evaluation.output) or "",
            expected=label_of(example.reference) or "",
            top=detail.get("top") or "",
            top_score=float(detail.get("score", 0.0)),
            lead=float(detail.get("lead", 0.0)),
            score=evaluation.score or 0.0,
            cluster_key=self._clusters.get(example.id, ""),
            feedback=evaluation.rationale,
        )
