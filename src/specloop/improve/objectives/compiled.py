"""From an objective version to what scores: the composite's own objects and the judges they need.

The compiled form is plain data, so that a search in another process and a validation years later score alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from specloop.improve.objectives.composite import Constraint, Dimension, Objective, Rubric, Term, compose
from specloop.improve.objectives.model import ObjectiveContent
from specloop.improve.rubrics.judges import Judge, judge_for
from specloop.improve.rubrics.model import JudgeSpec, RubricContent


@dataclass(frozen=True, slots=True)
class CompiledObjective:
    """An objective ready to score with: `judges` by `rubric/dimension`, `identity` part of every verdict's binding."""

    objective: Objective
    judges: Mapping[str, JudgeSpec]

    @property
    def judge_versions(self) -> dict[str, str]:
        """The version of every judge in use (spectral.md §1.4 invariant 9)."""
        return {name: f"{spec.ref}@{judge_for(spec.ref).version}" for name, spec in sorted(self.judges.items())}

    def judge(self, name: str) -> Judge:
        """The judge of `rubric/dimension`."""
        return judge_for(self.judges[name].ref)


def compile_objective(
    content: ObjectiveContent, rubrics: Mapping[tuple[str, int], tuple[str, RubricContent]]
) -> CompiledObjective:
    """Join an objective with its rubric versions; `rubrics` maps (id, version) to its name here and its content."""
    used = {(term.rubric_id, term.rubric_version or 0): None for term in content.terms}
    named = [rubrics[key] for key in used]
    objective = Objective(
        rubrics=tuple(to_composite(name, rubric) for name, rubric in named),
        terms=tuple(
            Term(rubrics[(term.rubric_id, term.rubric_version or 0)][0], term.weight, term.dimension)
            for term in content.terms
            if term.weight > 0
        ),
        authorities={"reference": content.authorities.reference, "rubric": content.authorities.rubric},
        floor=content.authorities.floor,
        constraints=tuple(Constraint(one.metric, one.op, one.value, one.margin) for one in content.constraints),
        min_effect=content.min_effect,
        alpha=content.alpha,
        missing=content.missing,
    )
    judges = {f"{name}/{one.key}": one.judge for name, rubric in named for one in rubric.dimensions}
    return CompiledObjective(objective, judges)


def to_composite(key: str, content: RubricContent) -> Rubric:
    """The rubric as the composite sees it; `key` names it inside an objective."""
    dimensions = tuple(
        Dimension(one.key, one.weight, one.hard_min, judge_for(one.judge.ref).authority) for one in content.dimensions
    )
    return Rubric(key, dimensions, content.aggregation)


def rubric_score(content: RubricContent, scores: Mapping[str, float | None]) -> float | None:
    """A rubric's own score from scores by dimension key; None when one is missing."""
    named: dict[str, Any] = {f"rubric/{key}": value for key, value in scores.items()}
    return compose(Objective((to_composite("rubric", content),)), named).score
