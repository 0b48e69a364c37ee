"""Figures of recorded sessions as sheets: by day, model, agent, project and tool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from specloop.app.web.analysed.sheets import Column, Sheet
from specloop.record.sessions import DayActivity, ToolUse, UsageSum

_TOKENS: Final = (
    Column("input_tokens", "Tokens in"),
    Column("output_tokens", "Tokens out"),
    Column("cost_usd", "Cost", "money", is_bar=True),
)
UNKNOWN: Final = "not told"


def micro(cost_usd: float | None) -> int | None:
    """Dollars as micro-dollars."""
    return None if cost_usd is None else round(cost_usd * 1_000_000)


def tokens_in(one: UsageSum) -> int:
    """All that went in, from cache or not."""
    return one.input_tokens


def days_sheet(days: Sequence[str], used: Sequence[UsageSum], began: Sequence[DayActivity]) -> Sheet:
    """One row for every day of the period."""
    usage = {one.key: one for one in used}
    sessions = {one.day: one.sessions for one in began}
    rows = [
        (
            day,
            sessions.get(day, 0),
            tokens_in(usage[day]) if day in usage else 0,
            usage[day].output_tokens if day in usage else 0,
            micro(usage[day].cost_usd) if day in usage else None,
        )
        for day in days
    ]
    columns = (Column("day", "Day", "day"), Column("sessions", "Sessions begun"), *_TOKENS)
    return Sheet("sessions-by-day", "Sessions by day", columns, rows)


def group_sheet(
    key: str, title: str, heading: str, sums: Sequence[UsageSum], names: Mapping[str, str] | None = None
) -> Sheet:
    """One row per model, agent or project, the dearest first."""
    rows = [
        (
            (names or {}).get(one.key, one.key) or UNKNOWN,
            one.sessions,
            tokens_in(one),
            one.output_tokens,
            micro(one.cost_usd),
        )
        for one in sorted(sums, key=lambda one: (-(one.cost_usd or 0), -one.sessions, one.key))
    ]
    columns = (Column(key, heading, "text"), Column("sessions", "Sessions"), *_TOKENS)
    return Sheet(f"sessions-by-{key}", title, columns, rows)


def tools_sheet(tools: Sequence[ToolUse]) -> Sheet:
    """One row per tool, the one that failed most often first."""
    rows = [
        (one.name, one.sessions, one.calls, one.errors, one.errors / one.calls if one.calls else None)
        for one in sorted(tools, key=lambda one: (-one.errors, -one.calls, one.name))
    ]
    columns = (
        Column("tool", "Tool", "text"),
        Column("sessions", "Sessions"),
        Column("calls", "Calls"),
        Column("failed", "Failed"),
        Column("failed_share", "Failing", "share", is_bar=True),
    )
    return Sheet("session-tools", "Tools in sessions", columns, rows)
