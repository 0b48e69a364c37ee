"""The one way scores become a composite (spectral.md §1.4 invariant 8): search, validation and dashboard all call it.

Pure arithmetic over dimension scores; it must not know judges, runtimes or storage.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, assert_never

Aggregation = Literal["weighted_mean", "min", "all_pass"]
Authority = Literal["reference", "rubric"]
Missing = Literal["fail", "skip"]
Comparison = Literal["<", "<=", ">", ">="]

# `all_pass` asks every dimension for at least this much, or for its own `hard_min` where that is higher.
PASS_MARK = 0.5


@dataclass(frozen=True, slots=True)
class Dimension:
    """One scored quality. `weight` > 0 is relative; `hard_min` is a score below which the sample fails outright."""

    key: str
    weight: float = 1.0
    hard_min: float | None = None
    authority: Authority = "reference"


@dataclass(frozen=True, slots=True)
class Rubric:
    """Dimensions and how they become one score. Raises: ValueError for no dimension, equal keys or a weight <= 0."""

    key: str
    dimensions: tuple[Dimension, ...]
    aggregation: Aggregation = "weighted_mean"

    def __post_init__(self) -> None:
        keys = [dimension.key for dimension in self.dimensions]
        if not keys or len(set(keys)) != len(keys):
            raise ValueError("a rubric needs at least one dimension, each with its own key")
        if any(dimension.weight <= 0 for dimension in self.dimensions):
            raise ValueError("dimension weights must be above 0")


@dataclass(frozen=True, slots=True)
class Term:
    """A rubric's share in an objective, or the share of one `dimension` of it."""

    rubric: str
    weight: float = 1.0
    dimension: str | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """A guardrail on an aggregate metric: `metric op value`, with `margin` of tolerance on the lenient side."""

    metric: str
    op: Comparison
    value: float
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class Objective:
    """What is maximised. `authorities` weighs reference-based against rubric-based terms; `floor` guards each."""

    rubrics: tuple[Rubric, ...]
    terms: tuple[Term, ...] = ()
    authorities: Mapping[str, float] = field(default_factory=dict[str, float])
    floor: float = 0.0
    constraints: tuple[Constraint, ...] = ()
    min_effect: float = 0.02
    alpha: float = 0.05
    missing: Missing = "fail"

    def weights(self) -> dict[str, float]:
        """Each dimension's share of the objective, keyed `rubric/dimension`; the shares add up to 1."""
        found: dict[str, float] = {}
        terms = self.terms or tuple(Term(rubric.key) for rubric in self.rubrics)
        rubrics = {rubric.key: rubric for rubric in self.rubrics}
        for term in terms:
            members = _members(rubrics[term.rubric], term)
            whole = sum(d.weight for d in members) * sum(t.weight for t in terms)
            for dimension in members:
                name = f"{term.rubric}/{dimension.key}"
                found[name] = found.get(name, 0.0) + term.weight * dimension.weight / whole
        return found


@dataclass(frozen=True, slots=True)
class Composite:
    """The result for one evaluation; `score` is None when it could not be computed.

    `broken` lists dimensions under their `hard_min`, `authorities` the part scores of both authorities.
    """

    score: float | None
    broken: tuple[str, ...] = ()
    authorities: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class ConstraintResult:
    """Whether a guardrail held for an observed `value` (None: not measured, which holds only under `skip`)."""

    constraint: Constraint
    value: float | None
    held: bool


def compose(objective: Objective, scores: Mapping[str, float | None]) -> Composite:
    """Combine dimension scores, keyed `rubric/dimension`, into one composite in [0, 1].

    A missing score makes the whole composite None under `missing: fail`, and is left out under `skip`.
    A broken `hard_min` brings the composite to 0: the sample failed, whatever else it did well.
    """
    rubrics = {rubric.key: rubric for rubric in objective.rubrics}
    broken = tuple(name for rubric in objective.rubrics for name in _broken(rubric, scores))
    values: list[tuple[float, float]] = []
    parts: dict[str, list[tuple[float, float]]] = {}
    for term in objective.terms or tuple(Term(rubric.key) for rubric in objective.rubrics):
        rubric = rubrics[term.rubric]
        members = _members(rubric, term)
        value = _aggregate(rubric, members, scores)
        if value is None:
            if objective.missing == "fail":
                return Composite(None, broken)
            continue
        values.append((term.weight, value))
        _add_authorities(parts, rubric, members, term.weight, scores)
    if not values:
        return Composite(None, broken)
    authorities = {name: _mean(weighted) for name, weighted in parts.items()}
    return Composite(0.0 if broken else _weigh(objective, values, authorities), broken, authorities)


def _members(rubric: Rubric, term: Term) -> tuple[Dimension, ...]:
    if term.dimension is None:
        return rubric.dimensions
    members = tuple(d for d in rubric.dimensions if d.key == term.dimension)
    if not members:
        raise ValueError(f"rubric {rubric.key!r} has no dimension {term.dimension!r}")
    return members


def _add_authorities(
    parts: dict[str, list[tuple[float, float]]],
    rubric: Rubric,
    members: Sequence[Dimension],
    weight: float,
    scores: Mapping[str, float | None],
) -> None:
    for dimension in members:
        value = scores.get(f"{rubric.key}/{dimension.key}")
        if value is not None:
            parts.setdefault(dimension.authority, []).append((weight * dimension.weight, value))


def _aggregate(rubric: Rubric, members: Sequence[Dimension], scores: Mapping[str, float | None]) -> float | None:
    values = [(d, scores.get(f"{rubric.key}/{d.key}")) for d in members]
    known = [(d, value) for d, value in values if value is not None]
    if len(known) < len(values):
        return None
    match rubric.aggregation:
        case "weighted_mean":
            return _mean([(d.weight, value) for d, value in known])
        case "min":
            return min(value for _, value in known)
        case "all_pass":
            return float(all(value >= max(PASS_MARK, d.hard_min or 0.0) for d, value in known))
        case _:
            assert_never(rubric.aggregation)


def _weigh(objective: Objective, values: Sequence[tuple[float, float]], authorities: Mapping[str, float]) -> float:
    """Mean of the terms, or of the authorities where they have weights; the floor caps at the worst authority."""
    weighted = [(objective.authorities.get(name, 0.0), value) for name, value in authorities.items()]
    score = _mean(weighted) if sum(weight for weight, _ in weighted) > 0 else _mean(values)
    worst = min(authorities.values())
    return min(score, worst) if worst < objective.floor else score


def _broken(rubric: Rubric, scores: Mapping[str, float | None]) -> list[str]:
    names: list[str] = []
    for dimension in rubric.dimensions:
        name = f"{rubric.key}/{dimension.key}"
        value = scores.get(name)
        if dimension.hard_min is not None and value is not None and value < dimension.hard_min:
            names.append(name)
    return names


def _mean(weighted: Sequence[tuple[float, float]]) -> float:
    total = sum(weight for weight, _ in weighted)
    mean = sum(weight * value for weight, value in weighted) / total
    # A mean lies between its values; rounding must not push it outside.
    return min(max(mean, min(v for _, v in weighted)), max(v for _, v in weighted))


def check_constraints(objective: Objective, metrics: Mapping[str, float | None]) -> tuple[ConstraintResult, ...]:
    """Hold every guardrail against aggregate metrics such as `p95_latency_ms`, `error_rate`, `dimension:<key>`."""
    return tuple(
        _check(constraint, metrics.get(constraint.metric), objective.missing) for constraint in objective.constraints
    )


def _check(constraint: Constraint, value: float | None, missing: Missing) -> ConstraintResult:
    if value is None:
        return ConstraintResult(constraint, None, missing == "skip")
    match constraint.op:
        case "<":
            held = value < constraint.value + constraint.margin
        case "<=":
            held = value <= constraint.value + constraint.margin
        case ">":
            held = value > constraint.value - constraint.margin
        case ">=":
            held = value >= constraint.value - constraint.margin
        case _:
            assert_never(constraint.op)
    return ConstraintResult(constraint, value, held)
