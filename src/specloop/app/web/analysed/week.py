"""The record stage's week in three figures, and what was recorded since yesterday, for the home page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from specloop.app.web import figures
from specloop.record.sessions import DayActivity, ToolUse, UsageSum
from specloop.record.traces.trends import Trends


@dataclass(frozen=True)
class Week:
    """Seven days until today. `trends` is None while agent calls are still being counted."""

    today: date
    total: UsageSum
    tools: Sequence[ToolUse]
    activity: Sequence[DayActivity]
    trends: Trends | None


def week_figures(week: Week) -> list[tuple[str, str, str]]:
    """(name, value, what it is made of) of the three figures."""
    total, trends = week.total, week.trends
    later = "" if trends else ", agent calls are still being counted"
    sessions_cost = 0 if total.cost_usd is None else round(total.cost_usd * 1_000_000)
    calls_cost = round((trends.usage.cost_usd or 0) * 1_000_000) if trends else 0
    tokens = total.input_tokens + total.output_tokens
    tokens += (trends.usage.input_tokens or 0) + (trends.usage.output_tokens or 0) if trends else 0
    parts = f"sessions {figures.money(sessions_cost)}, agent calls {figures.money(calls_cost)}"
    failing, used = failing_tools(week)
    names = ", ".join(failing[:5])
    return [
        ("Sessions this week", figures.count(total.sessions), "your own recorded sessions"),
        (
            "Cost this week",
            figures.money(sessions_cost + calls_cost),
            f"{parts}; {figures.count(tokens)} tokens{later}",
        ),
        ("Failing tools", f"{len(failing)} of {used}" if used else "0", (names or "no tool failed") + later),
    ]


def failing_tools(week: Week) -> tuple[list[str], int]:
    """The tools that failed at least once, in sessions or agent calls, the worst first; how many were used at all."""
    errors: dict[str, int] = {}
    for one in (*week.tools, *(week.trends.tools if week.trends else ())):
        errors[one.name] = errors.get(one.name, 0) + one.errors
    return sorted((name for name in errors if errors[name]), key=lambda name: -errors[name]), len(errors)


def recorded_since_yesterday(week: Week, base: str) -> list[dict[str, Any]]:
    """Lines for the home page: sessions and traces since the beginning of yesterday (UTC)."""
    yesterday = (week.today - timedelta(days=1)).isoformat()
    begun = sum(one.sessions for one in week.activity if one.day >= yesterday)
    days = [one for one in week.trends.days if one.day >= yesterday] if week.trends else []
    traces, failed = sum(one.traces for one in days), sum(one.errors for one in days)
    lines: list[dict[str, Any]] = []
    if begun:
        text = f"{figures.count(begun)} {'session' if begun == 1 else 'sessions'} recorded"
        lines.append({"icon": "device", "text": text, "href": f"{base}/sessions"})
    if traces:
        text = f"{figures.count(traces)} {'trace' if traces == 1 else 'traces'} arrived"
        ending = f", {figures.count(failed)} {'span' if failed == 1 else 'spans'} failed" if failed else ""
        lines.append({"icon": "trace", "text": text + ending, "href": f"{base}/traces?period=24h"})
    return lines
