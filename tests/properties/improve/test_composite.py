"""Laws of the composite: the one way scores are combined (spectral.md §1.4 invariant 8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.improve.objectives.composite import (
    Aggregation,
    Constraint,
    Dimension,
    Objective,
    Rubric,
    check_constraints,
    compose,
)

unit = st.floats(0, 1)
aggregations = st.sampled_from(["weighted_mean", "min", "all_pass"])
rows = st.lists(st.tuples(st.floats(0.1, 5), unit), min_size=1, max_size=5)


def objective(weights: list[float], aggregation: Aggregation = "weighted_mean") -> Objective:
    dimensions = tuple(Dimension(f"d{i}", weight) for i, weight in enumerate(weights))
    return Objective((Rubric("r", dimensions, aggregation),))


def named(scores: list[float]) -> dict[str, float | None]:
    return {f"r/d{i}": score for i, score in enumerate(scores)}


@given(rows, aggregations)
def test_a_composite_lies_between_zero_and_one(pairs: list[tuple[float, float]], aggregation: Aggregation) -> None:
    composite = compose(objective([w for w, _ in pairs], aggregation), named([s for _, s in pairs]))
    assert composite.score is not None
    assert 0 <= composite.score <= 1


@given(rows, aggregations, st.integers(0, 4), unit)
def test_a_better_dimension_never_lowers_the_composite(
    pairs: list[tuple[float, float]], aggregation: Aggregation, which: int, better: float
) -> None:
    weights, scores = [w for w, _ in pairs], [s for _, s in pairs]
    place = which % len(scores)
    raised = [*scores[:place], max(better, scores[place]), *scores[place + 1 :]]
    before = compose(objective(weights, aggregation), named(scores)).score
    after = compose(objective(weights, aggregation), named(raised)).score
    assert before is not None
    assert after is not None
    assert after >= before - 1e-12


@given(rows, st.floats(0.5, 20))
def test_only_the_ratio_of_weights_counts(pairs: list[tuple[float, float]], factor: float) -> None:
    weights, scores = [w for w, _ in pairs], [s for _, s in pairs]
    same = compose(objective([w * factor for w in weights]), named(scores)).score
    assert same == pytest.approx(compose(objective(weights), named(scores)).score)


def test_a_missing_score_fails_the_sample_or_is_left_out() -> None:
    two = (Rubric("a", (Dimension("x"),)), Rubric("b", (Dimension("y"),)))
    scores = {"a/x": 1.0, "b/y": None}
    assert compose(Objective(two), scores).score is None
    assert compose(Objective(two, missing="skip"), scores).score == 1.0


def test_a_broken_hard_minimum_brings_the_sample_to_zero() -> None:
    rubric = Rubric("r", (Dimension("safe", hard_min=1.0), Dimension("nice", weight=9)))
    composite = compose(Objective((rubric,)), {"r/safe": 0.9, "r/nice": 1.0})
    assert (composite.score, composite.broken) == (0.0, ("r/safe",))


def test_authorities_are_weighed_and_the_floor_caps_at_the_worst() -> None:
    rubric = Rubric("r", (Dimension("right"), Dimension("polite", authority="rubric")))
    scores = {"r/right": 1.0, "r/polite": 0.2}
    assert compose(Objective((rubric,), authorities={"reference": 3, "rubric": 1}), scores).score == pytest.approx(0.8)
    capped = Objective((rubric,), authorities={"reference": 3, "rubric": 1}, floor=0.5)
    assert compose(capped, scores).score == pytest.approx(0.2)


@pytest.mark.parametrize("dimensions", [(), (Dimension("a"), Dimension("a")), (Dimension("a", weight=0),)])
def test_rubrics_need_distinct_weighted_dimensions(dimensions: tuple[Dimension, ...]) -> None:
    with pytest.raises(ValueError, match="dimension"):
        Rubric("r", dimensions)


def test_constraints_hold_with_their_margin_and_missing_metrics_follow_the_objective() -> None:
    rule = Constraint("error_rate", "<=", 0.01, margin=0.005)
    base = Objective((Rubric("r", (Dimension("d"),)),), constraints=(rule,))
    assert [check_constraints(base, {"error_rate": rate})[0].held for rate in (0.015, 0.016, None)] == [
        True,
        False,
        False,
    ]


@given(rows)
def test_the_shares_of_an_objective_add_up_to_one(pairs: list[tuple[float, float]]) -> None:
    assert sum(objective([w for w, _ in pairs]).weights().values()) == pytest.approx(1.0)
