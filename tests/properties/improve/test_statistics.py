"""Laws of the statistics behind promotion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specloop.improve.validation.statistics import (
    bootstrap_mean,
    holm,
    look_alpha,
    mcnemar_power,
    power_table,
    samples_for_power,
    sign_p_value,
)

counts = st.integers(0, 200)
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(counts, counts)
def test_mcnemar_is_symmetric_and_a_probability(wins: int, losses: int) -> None:
    assert sign_p_value(wins, losses) == pytest.approx(sign_p_value(losses, wins))
    assert 0 < sign_p_value(wins, losses) <= 1


def test_mcnemar_agrees_with_a_hand_computed_case() -> None:
    # 8 of 8 in one direction: 2 * 0.5 ** 8.
    assert sign_p_value(8, 0) == pytest.approx(2 * 0.5**8)


@given(p_values)
def test_holm_only_raises_p_values_and_keeps_their_order(values: list[float]) -> None:
    adjusted = holm(values)
    assert all(a >= p for a, p in zip(adjusted, values, strict=True))
    assert all(a <= 1 for a in adjusted)
    order = np.argsort(values, kind="stable")
    assert all(x <= y for x, y in zip(np.array(adjusted)[order], np.array(adjusted)[order][1:], strict=False))


@given(st.floats(0.001, 0.2), st.integers(1, 8))
def test_all_looks_together_spend_exactly_alpha(alpha: float, looks: int) -> None:
    spent = [look_alpha(alpha, look, looks) for look in range(1, looks + 1)]
    assert sum(spent) == pytest.approx(alpha)
    assert look_alpha(alpha, looks + 1, looks) == 0


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=5, max_size=60), st.integers(1, 20))
def test_a_bootstrap_interval_holds_its_mean_and_does_not_depend_on_the_order_of_groups(
    deltas: list[float], groups: int
) -> None:
    values = np.array(deltas)
    interval = bootstrap_mean(values, [i % groups for i in range(len(deltas))])
    assert interval.low <= values.mean() + 1e-9
    assert interval.high >= values.mean() - 1e-9
    renamed = bootstrap_mean(values, [f"g{i % groups}" for i in range(len(deltas))])
    assert renamed == interval


def test_grouping_widens_the_interval_when_groups_move_together() -> None:
    deltas = np.repeat([1.0, -1.0, 1.0, 1.0, 0.0, 1.0, -1.0, 1.0], 20)
    alone = bootstrap_mean(deltas, list(range(len(deltas))))
    together = bootstrap_mean(deltas, [i // 20 for i in range(len(deltas))])
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_the_power_table_is_the_contracts() -> None:
    # spectral.md §2.5, simulated there with 4,000 runs.
    table = power_table(400)
    for gain, wanted in {"2pp": 0.18, "3pp": 0.32, "5pp": 0.70, "8pp": 0.97}.items():
        assert table[gain] == pytest.approx(wanted, abs=0.03)


@given(st.sampled_from([50, 100, 200, 400]), st.sampled_from([0.02, 0.05, 0.1]))
def test_power_grows_with_samples_and_with_the_gain(n: int, delta: float) -> None:
    assert mcnemar_power(n, delta) <= mcnemar_power(2 * n, delta) + 1e-9
    assert mcnemar_power(n, delta) <= mcnemar_power(n, delta + 0.05) + 1e-9


def test_the_planned_number_of_samples_has_the_planned_power() -> None:
    n = samples_for_power(0.05)
    assert mcnemar_power(n, 0.05) >= 0.8 > mcnemar_power(int(n * 0.9), 0.05)


def test_the_false_alarm_rate_of_the_exact_test_stays_below_its_level() -> None:
    wins: list[int] = np.random.default_rng(0).binomial(40, 0.5, size=2_000).tolist()
    assert sum(sign_p_value(w, 40 - w) < 0.05 for w in wins) / len(wins) <= 0.05
