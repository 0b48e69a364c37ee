"""Geometry of a column chart: one column a day, the highest and the latest labelled. Pure; it knows no domain."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from specloop.app.web.plots import nice_step

HEIGHT: Final = 120
HEADROOM: Final = 20
SMALLEST: Final = 1.5


@dataclass(frozen=True, slots=True)
class Bar:
    """A column: x and width in percent of the chart, y and height in pixels, its words on hover."""

    x: float
    width: float
    y: float
    height: float
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word in the chart: x in percent, y in pixels, where the text is anchored."""

    x: float
    y: float
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The chart. `lines` are (y, label) of the scale; `summary` says it in a sentence."""

    bars: Sequence[Bar]
    labels: Sequence[Label]
    lines: Sequence[tuple[float, str]]
    days: Sequence[Label]
    summary: str


def columns_of(values: Sequence[tuple[str, float | None]], told: Callable[[float], str], what: str) -> Columns:
    """Columns for (ISO day, value) in order; `told` turns a value into its words."""
    known = [value for _, value in values if value]
    top = max(known, default=0.0)
    step = nice_step(top, 3)
    ceiling = max(math.ceil(top / step - 1e-9) * step, step) if top else 1.0
    slot = 100 / max(len(values), 1)

    def y_of(value: float) -> float:
        return round(HEADROOM + (HEIGHT - HEADROOM) * (1 - value / ceiling), 1)

    bars = [
        Bar(
            round(place * slot + slot * 0.12, 3),
            round(slot * 0.76, 3),
            min(y_of(value), HEIGHT - SMALLEST),
            round(max(HEIGHT - y_of(value), SMALLEST), 1),
            f"{day}: {told(value)}",
        )
        for place, (day, value) in enumerate(values)
        if value
    ]
    labels = [
        _label(place, slot, y_of(value), told(value))
        for place, (_, value) in enumerate(values)
        if value and place == _place_of_highest(values)
    ]
    lines = [(y_of(step * n), told(step * n)) for n in range(1, round(ceiling / step) + 1)] if top else []
    total = sum(known)
    summary = (
        f"{what}: {told(total)} in {len(values)} days, at most {told(top)} on one day" if known else f"{what}: none"
    )
    return Columns(bars, labels, lines, _days(values, slot), summary)


def _place_of_highest(values: Sequence[tuple[str, float | None]]) -> int:
    return max(range(len(values)), key=lambda place: values[place][1] or 0.0)


def _label(place: int, slot: float, y: float, text: str) -> Label:
    middle = (place + 0.5) * slot
    anchor = "start" if middle < 8 else "end" if middle > 92 else "middle"
    return Label(round(middle, 2), y - 5, anchor, text)


def _days(values: Sequence[tuple[str, float | None]], slot: float) -> list[Label]:
    """The first day, the middle one, the last one."""
    if not values:
        return []
    last = len(values) - 1
    places = [(0, "start"), (last // 2, "middle"), (last, "end")] if last > 1 else [(0, "start")]
    return [
        Label(
            {"start": 0.0, "end": 100.0}.get(anchor, round((place + 0.5) * slot, 2)),
            HEIGHT + 15,
            anchor,
            values[place][0][5:],
        )
        for place, anchor in places
    ]
