"""How a workspace is doing, put together from what each stage reports about itself.

The stages lie above identity, so they come as probes; this file must not know which there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from specloop.db.context import Context

SCORE_MAX = 100
_EMPTY: dict[str, dict[str, Any]] = {
    "ingest": {"last_span_at": None, "spans_24h": 0, "lag_ms": None, "rejected_24h": 0},
    "agents": {"active": 0},
    "scans": {"last": None, "failing": 0},
    "queue": {"waiting": 0},
    "models": {"configured": 0},
}


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a person should look at; `penalty` points are taken off the score of 100."""

    code: str
    severity: Literal["info", "warning", "critical"]
    detail: str
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One stage's report: its figures and its issues."""

    figures: dict[str, Any]
    issues: tuple[Issue, ...] = ()


class HealthProbe(Protocol):
    """Reports on one stage of the caller's workspace."""

    @property
    def section(self) -> str:
        """The member of the answer that it fills: ingest, agents, scans, queue, models or a new one."""
        ...

    async def report(self, ctx: Context) -> Section:
        """The figures right now."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """The whole report; `score` is 100 when nothing is wrong."""

    sections: dict[str, dict[str, Any]]
    score: int
    issues: list[Issue] = field(default_factory=list[Issue])


class HealthService:
    """Asks every probe; a section that no probe fills shows that nothing is there."""

    def __init__(self, probes: Sequence[HealthProbe] = ()) -> None:
        self._probes = tuple(probes)

    async def check(self, ctx: Context) -> Health:
        """The health of the caller's workspace."""
        sections = {name: dict(figures) for name, figures in _EMPTY.items()}
        issues: list[Issue] = []
        for probe in self._probes:
            report = await probe.report(ctx)
            sections[probe.section] = report.figures
            issues.extend(report.issues)
        score = max(0, SCORE_MAX - sum(issue.penalty for issue in issues))
        return Health(sections, score, issues)
