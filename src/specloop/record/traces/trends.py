"""Traces over time: figures per day, model, agent and tool. Plain values, no store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from specloop.record.traces.model import Usage


@dataclass(frozen=True, slots=True)
class DayFigures:
    """One UTC day (ISO date): traces that began on it, spans, failed spans, usage of its model calls."""

    day: str
    traces: int
    spans: int
    errors: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class CallFigures:
    """Calls of one tool or model, or traces of one agent; `latency_ms` holds p50 and p95, None where nothing ran."""

    name: str
    calls: int
    errors: int
    latency_ms: tuple[float | None, float | None]
    usage: Usage


@dataclass(frozen=True, slots=True)
class Trends:
    """A window of time; days without spans are left out, groups are ordered by how much they did."""

    start: datetime
    end: datetime
    read_at: datetime
    days: Sequence[DayFigures]
    models: Sequence[CallFigures]
    agents: Sequence[CallFigures]
    tools: Sequence[CallFigures]
    usage: Usage

    @property
    def traces(self) -> int:
        """All traces of the window."""
        return sum(day.traces for day in self.days)

    @property
    def spans(self) -> int:
        """All spans of the window."""
        return sum(day.spans for day in self.days)

    @property
    def errors(self) -> int:
        """All failed spans of the window."""
        return sum(day.errors for day in self.days)
