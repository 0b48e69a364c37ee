"""A gain that one group of samples pays for is marked down before the holdout has to refuse it."""

import pytest

from specloop.improve.evaluation.model import Example
from specloop.improve.scans.slices import slice_penalty

EXAMPLES = [Example(str(i), {}, metadata={"tools": "one" if i < 40 else "many"}) for i in range(100)]
BEFORE = {example.id: 0.5 for example in EXAMPLES}


def after(one: float, many: float) -> dict[str, float]:
    return {e.id: one if e.metadata["tools"] == "one" else many for e in EXAMPLES}


def test_what_the_worst_group_loses_counts_double() -> None:
    assert slice_penalty(EXAMPLES, BEFORE, after(0.4, 1.0)) == pytest.approx(0.2)


def test_gains_everywhere_cost_nothing() -> None:
    assert slice_penalty(EXAMPLES, BEFORE, after(0.5, 1.0)) == 0.0


def test_small_groups_and_unscored_samples_say_nothing() -> None:
    assert slice_penalty(EXAMPLES[20:], BEFORE, after(0.0, 1.0)) == 0.0
    assert slice_penalty(EXAMPLES, {}, after(0.0, 0.0)) == 0.0
