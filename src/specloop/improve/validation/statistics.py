"""The statistics behind promotion (spectral.md §2.5): exact McNemar, grouped bootstrap, Holm, looks and power.

Thin wrappers over scipy with the conventions of the contract. Nothing here knows what is compared.
"""

import importlib
import warnings
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 10_000
# Share of samples that flip against the candidate in power planning (spectral.md §2.5, power table).
PLANNED_FLIPS = 0.05
POWER_EFFECTS = (0.02, 0.03, 0.05, 0.08, 0.10, 0.15)


@cache
def _stats() -> Any:
    # The only way to scipy: loading it takes seconds, and the server plans and reports without ever computing.
    return importlib.import_module("scipy.stats")


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class McNemar:
    """Discordant pairs and the exact two-sided p-value: `wins` candidate only right, `losses` baseline only right."""

    wins: int
    losses: int
    p_value: float


def mcnemar_exact(baseline: Floats, candidate: Floats) -> McNemar:
    """Exact two-sided test on paired scores; pairs count as wins or losses by their sign. p = 1 without any."""
    wins, losses = int(np.sum(candidate > baseline)), int(np.sum(candidate < baseline))
    return McNemar(wins, losses, sign_p_value(wins, losses))


def sign_p_value(wins: int, losses: int) -> float:
    """Two-sided binomial p-value of a win/loss count under no difference."""
    if wins + losses == 0:
        return 1.0
    return float(_stats().binomtest(wins, wins + losses, 0.5).pvalue)


def paired_p_value(before: Floats, after: Floats) -> float:
    """Wilcoxon's signed-rank test on paired graded scores; 1 where nothing differs."""
    if np.all(before == after):
        return 1.0
    return float(_stats().wilcoxon(after, before).pvalue)


def bootstrap_mean(deltas: Floats, groups: Sequence[Hashable], confidence: float = 0.95, seed: int = 0) -> Interval:
    """BCa interval for the mean of `deltas`, resampling whole groups (10,000 resamples, Efron 1987).

    With one group, or when all groups agree exactly, there is nothing to resample: both ends are the mean.
    """
    sums, sizes = _group_totals(deltas, groups)
    mean = float(deltas.mean())
    if len(sums) < 2 or np.ptp(sums / sizes) == 0.0:
        return Interval(mean, mean)
    with warnings.catch_warnings():
        # BCa is undefined when every jackknife value is equal; the percentile interval below replaces it.
        warnings.simplefilter("ignore")
        result = _bootstrap(sums, sizes, confidence, seed, "BCa")
        if not np.isfinite(result.low) or not np.isfinite(result.high):
            result = _bootstrap(sums, sizes, confidence, seed, "percentile")
    return result


def _bootstrap(sums: Floats, sizes: Floats, confidence: float, seed: int, method: str) -> Interval:
    def weighted_mean(total: Floats, size: Floats, axis: int = -1) -> Floats:
        return np.asarray(total.sum(axis=axis) / size.sum(axis=axis))

    found = (
        _stats()
        .bootstrap(
            (sums, sizes),
            weighted_mean,
            paired=True,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=1_000,
            confidence_level=confidence,
            method=method,
            rng=np.random.default_rng(seed),
        )
        .confidence_interval
    )
    return Interval(float(found.low), float(found.high))


def _group_totals(deltas: Floats, groups: Sequence[Hashable]) -> tuple[Floats, Floats]:
    """Sum and size per group, in order of first appearance."""
    numbers: dict[Hashable, int] = {}
    index = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.intp)
    sums, sizes = np.zeros(len(numbers)), np.zeros(len(numbers))
    np.add.at(sums, index, deltas)
    np.add.at(sizes, index, 1.0)
    return sums, sizes


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjusted p-values, in the given order (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted = [1.0] * len(p_values)
    running = 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = running
    return adjusted


def look_alpha(alpha: float, look: int, looks: int = 5) -> float:
    """The level of the `look`-th validation (from 1) on one holdout version: alpha/2, alpha/4, …

    The last look also takes what is left, so that all looks together spend exactly `alpha`; beyond it the level is 0.
    """
    if look < 1 or look > looks:
        return 0.0
    return float(alpha * 2.0 ** -(look if look < looks else looks - 1))


def rate_upper(events: int, n: int, confidence: float = 0.95) -> float:
    """Upper Wilson bound of a rate."""
    if n == 0:
        return 1.0
    return float(_stats().binomtest(events, n).proportion_ci(confidence, method="wilson").high)


@lru_cache(maxsize=4096)
def mcnemar_power(n: int, delta: float, flips: float = PLANNED_FLIPS, alpha: float = 0.05) -> float:
    """Probability that the exact test calls a true gain of `delta` significant when `flips` of the items get worse."""
    discordant = min(1.0, 2 * flips + delta)
    counts = np.arange(n + 1)
    weights = _stats().binom.pmf(counts, n, discordant)
    relevant = counts[weights > 1e-12]
    critical = _stats().binom.isf(alpha / 2, relevant, 0.5) + 1
    wins = _stats().binom.sf(critical - 1, relevant, (flips + delta) / discordant)
    return float(np.sum(weights[relevant] * wins))


@lru_cache(maxsize=256)
def samples_for_power(delta: float, power: float = 0.8, flips: float = PLANNED_FLIPS, alpha: float = 0.05) -> int:
    """The smallest holdout (to within 2 %) that shows a gain of `delta` with the wanted power."""
    if delta <= 0:
        return 0
    low, high = 10, 20
    while mcnemar_power(high, delta, flips, alpha) < power and high < 1_000_000:
        low, high = high, high * 2
    while high - low > max(1, low // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if mcnemar_power(middle, delta, flips, alpha) >= power else (middle, high)
    return high


def power_table(n: int, alpha: float = 0.05) -> dict[str, float]:
    """Power at usual gains, keyed in points such as `5pp`: what a holdout of `n` can certify."""
    return {f"{effect * 100:g}pp": round(mcnemar_power(n, effect, alpha=alpha), 3) for effect in POWER_EFFECTS}


def detectable_effect(n: int, power: float = 0.8, alpha: float = 0.05) -> float:
    """The smallest gain in whole points that a holdout of `n` shows with the wanted power; 1.0 if none."""
    for points in range(1, 100):
        if mcnemar_power(n, points / 100, alpha=alpha) >= power:
            return points / 100
    return 1.0
