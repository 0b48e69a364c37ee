"""What a search is told, as plain JSON, so that it can run in another process. It has no field for holdout samples."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from specloop.improve.evaluation.model import Example
from specloop.improve.evaluation.scorer import JudgedDimension, ObjectiveScorer
from specloop.improve.objectives.composite import Constraint, Dimension, Objective, Rubric, Term
from specloop.improve.rubrics.judges import judge_for
from specloop.improve.scans.problem import Budget, SearchProblem, Strategy
from specloop.run.runtime import Component, runtime_for

STOP = b"stop\n"
"""The line that asks a search process to end at its next checkpoint."""


@dataclass(frozen=True, slots=True)
class SearchSpec:
    """A search problem as values. `runtime` is the kind of an installed runtime, `judges` is by `rubric/dimension`.

    `checkpoint` is what an earlier attempt left.
    """

    runtime: str
    config: dict[str, Any]
    components: list[dict[str, Any]]
    train: list[dict[str, Any]]
    val: list[dict[str, Any]]
    objective: dict[str, Any]
    judges: dict[str, dict[str, Any]]
    strategy: dict[str, Any]
    budget: dict[str, Any]
    seed: int
    checkpoint: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """The JSON object that crosses the pipe."""
        return asdict(self)


def problem_of(spec: SearchSpec) -> tuple[SearchProblem, Budget]:
    """The problem that the engine takes.

    Raises: UnknownRuntime when this process has no such runtime.
    """
    components = tuple(map(_component, spec.components))
    judges = tuple(JudgedDimension(name, judge_for(judge["ref"]), judge["args"]) for name, judge in spec.judges.items())
    problem = SearchProblem(
        runtime=runtime_for(spec.runtime),
        base_config=spec.config,
        components=components,
        train=tuple(Example(**one) for one in spec.train),
        val=tuple(Example(**one) for one in spec.val),
        scorer=ObjectiveScorer(objective_of(spec.objective), judges),
        strategy=Strategy(**spec.strategy),
    )
    return problem, Budget(**spec.budget)


def _component(body: dict[str, Any]) -> Component:
    values: dict[str, Any] = {**body, "choices": tuple(body["choices"])}
    return Component(**values)


def objective_of(body: dict[str, Any]) -> Objective:
    """The objective of its JSON form (`dataclasses.asdict`)."""
    rubrics: list[Rubric] = []
    for one in body["rubrics"]:
        dimensions = tuple(Dimension(**dimension) for dimension in one["dimensions"])
        rubrics.append(Rubric(one["key"], dimensions, one["aggregation"]))
    values: dict[str, Any] = {
        **body,
        "rubrics": tuple(rubrics),
        "terms": tuple(Term(**term) for term in body["terms"]),
        "constraints": tuple(Constraint(**one) for one in body["constraints"]),
    }
    return Objective(**values)
