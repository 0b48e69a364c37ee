"""Places of the marks of two small charts: sessions per day, and what was used most. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

RANKS_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One day; all in percent of the chart, `y` from above."""

    day: date
    count: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Bars:
    """A chart of days. `width` is of one bar, in percent."""

    bars: Sequence[Bar]
    width: float
    highest: int
    total: int


def day_bars(days: Sequence[tuple[date, int]]) -> Bars:
    """A bar for each day that had something; a day with one session stays visible."""
    highest = max((count for _, count in days), default=0)
    step = 100 / max(len(days), 1)
    bars = [
        Bar(day, count, round(index * step, 3), round(100 - height, 2), round(height, 2))
        for index, (day, count) in enumerate(days)
        if count and (height := max(count / highest * 96, 3))
    ]
    return Bars(bars, round(step * 0.72, 3), highest, sum(count for _, count in days))


@dataclass(frozen=True, slots=True)
class Rank:
    """One line of a list of the most used; `share` in percent of the first."""

    name: str
    count: int
    href: str
    share: float


def ranks(counted: Sequence[tuple[str, int, str]]) -> list[Rank]:
    """The most used, most first."""
    ordered = sorted(counted, key=lambda one: -one[1])[:RANKS_SHOWN]
    highest = max((count for _, count, _ in ordered), default=1) or 1
    return [Rank(name, count, href, round(max(count / highest * 100, 1.5), 2)) for name, count, href in ordered]
