"""Coordinates for the small charts that the server draws as SVG: intervals on a shared scale, span lanes.

All positions are percentages of the width, so that the drawing follows the page and its text keeps its size.
Pure; it must not know what is plotted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["before", "after", "worse", "unsure"]


@dataclass(frozen=True)
class Interval:
    """A measured value with its 95 % interval (all in the unit of the scale)."""

    name: str
    point: float
    low: float
    high: float
    role: Role


@dataclass(frozen=True)
class Mark:
    """An interval in percent of the plot's width."""

    name: str
    role: Role
    x: float
    x_low: float
    x_high: float


@dataclass(frozen=True)
class Tick:
    """A labelled place on the scale."""

    x: float
    value: float


@dataclass(frozen=True)
class Plot:
    """A scale with its ticks, the marks on it, and the reference lines that fall inside."""

    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    zero: float | None = None
    goal: float | None = None


@dataclass(frozen=True)
class Bar:
    """A span's place in its trace, in percent of the trace's duration; never thinner than a visible line."""

    x: float
    width: float


SPAN_MIN = 1e-300
"""Below it, parts of a span cannot be told from nothing."""


def nice_step(span: float, wanted: int = 5) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `span` into about `wanted` parts."""
    if span < SPAN_MIN or not math.isfinite(span):
        return 1.0
    raw = span / wanted
    power = 10.0 ** math.floor(math.log10(raw))
    for factor in (1, 2, 5):
        if raw <= factor * power:
            return factor * power
    return 10 * power


def interval_plot(
    intervals: Sequence[Interval], *, zero: float | None = None, goal: float | None = None, ticks: int = 5
) -> Plot:
    """Places intervals on one scale that holds them all, `zero` and `goal` (reference lines) included."""
    values = [value for one in intervals for value in (one.low, one.point, one.high)]
    values += [value for value in (zero, goal) if value is not None]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    step = nice_step(high - low or abs(high) or 1.0, ticks)
    start, end = math.floor(low / step) * step, math.ceil(high / step) * step
    end = end if end > start else start + step

    def place(value: float) -> float:
        return round(2 + (value - start) / (end - start) * 96, 2)

    amount = round((end - start) / step)
    return Plot(
        tuple(Mark(i.name, i.role, place(i.point), place(i.low), place(i.high)) for i in intervals),
        tuple(Tick(place(start + n * step), round(start + n * step, 10)) for n in range(amount + 1)),
        None if zero is None else place(zero),
        None if goal is None else place(goal),
    )


def lane(start: float, end: float, whole_start: float, whole_end: float) -> Bar:
    """Where a span lies within its trace (same unit for all four)."""
    whole = max(whole_end - whole_start, 1e-9)
    x = min(max((start - whole_start) / whole * 100, 0.0), 99.5)
    width = min(max((end - start) / whole * 100, 0.5), 100 - x)
    return Bar(round(x, 2), round(width, 2))
