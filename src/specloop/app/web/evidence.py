"""The plots of a change set's proof: levels before and after, and their difference against zero.

Pure; it must not know services or templates.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from specloop.app.web.plots import Interval, Plot, Role, interval_plot

Z95: Final = 1.959964


@dataclass(frozen=True)
class Figure:
    """A share with half the width of its 95 % interval."""

    point: float
    half: float


@dataclass(frozen=True)
class EvidencePlots:
    """What the review page draws; `figures` holds the numbers beside the marks of `levels`, by their name."""

    levels: Plot
    delta: Plot
    figures: Mapping[str, Figure]


def evidence_plots(
    baseline: float, candidate: float, delta: float, ci95: tuple[float, float], n: int, min_effect: float
) -> EvidencePlots:
    """The two plots of a holdout result; shares of 0..1, `n` paired tasks."""
    low, high = ci95
    role: Role = "after" if low > 0 else "worse" if high < 0 else "unsure"
    levels = [_level("before", baseline, n, "before"), _level("after", candidate, n, role)]
    figures = {one.name: Figure(one.point, (one.high - one.low) / 2) for one in levels}
    difference = Interval("change", delta, low, high, role)
    return EvidencePlots(
        interval_plot(levels), interval_plot([difference], zero=0.0, goal=min_effect if min_effect else None), figures
    )


def _level(name: str, share: float, n: int, role: Role) -> Interval:
    low, high = wilson(share, n)
    return Interval(name, share, low, high, role)


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share seen in `n` tasks: honest near 0 and 1 too."""
    if n <= 0:
        return 0.0, 1.0
    share = min(max(share, 0.0), 1.0)
    square = Z95 * Z95
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = Z95 / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)
