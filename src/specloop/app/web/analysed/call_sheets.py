"""Figures of agent calls (traces) as sheets: by day, model, agent and tool."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from specloop.app.web.analysed.sheets import Column, Sheet
from specloop.record.traces.model import Usage
from specloop.record.traces.trends import CallFigures, Trends

_FAILED: Final = (Column("failed", "Failed"), Column("failed_share", "Failing", "share", is_bar=True))
_LATENCY: Final = (Column("p50_ms", "p50", "duration"), Column("p95_ms", "p95", "duration", is_bar=True))
_USED: Final = (
    Column("input_tokens", "Tokens in"),
    Column("output_tokens", "Tokens out"),
    Column("cost_usd", "Cost", "money", is_bar=True),
)


def micro(cost: Decimal | None) -> int | None:
    """Dollars as micro-dollars."""
    return None if cost is None else round(cost * 1_000_000)


def call_sheets(trends: Trends, days: Sequence[str]) -> dict[str, Sheet]:
    """All of them by key."""
    sheets = (_days(trends, days), _models(trends.models), _agents(trends.agents), _tools(trends.tools))
    return {sheet.key: sheet for sheet in sheets}


def _days(trends: Trends, days: Sequence[str]) -> Sheet:
    found = {one.day: one for one in trends.days}
    rows = [
        (day, found[day].traces, found[day].spans, found[day].errors, *_usage(found[day].usage))
        if day in found
        else (day, 0, 0, 0, 0, 0, None)
        for day in days
    ]
    columns = (
        Column("day", "Day", "day"),
        Column("traces", "Traces"),
        Column("spans", "Spans"),
        Column("failed_spans", "Failed spans"),
        *_USED,
    )
    return Sheet("calls-by-day", "Agent calls by day", columns, rows)


def _models(models: Sequence[CallFigures]) -> Sheet:
    rows = [(one.name, one.calls, one.errors, *one.latency_ms, *_usage(one.usage)) for one in models]
    columns = (
        Column("model", "Model", "text"),
        Column("calls", "Calls"),
        Column("failed", "Failed"),
        *_LATENCY,
        *_USED,
    )
    return Sheet("calls-by-model", "Models called", columns, rows, "Latency is that of single calls.")


def _agents(agents: Sequence[CallFigures]) -> Sheet:
    rows = [(one.name, one.calls, one.errors, *one.latency_ms, *_usage(one.usage), _each(one)) for one in agents]
    columns = (
        Column("agent", "Agent", "text"),
        Column("runs", "Runs"),
        Column("failed", "Failed"),
        Column("p50_ms", "p50", "duration"),
        Column("p95_ms", "p95", "duration"),
        *_USED,
        Column("cost_per_run_usd", "Per run", "money"),
    )
    return Sheet("calls-by-agent", "Agent runs", columns, rows, "A run is a trace in which the agent takes part.")


def _each(one: CallFigures) -> int | None:
    return None if one.usage.cost_usd is None or not one.calls else micro(one.usage.cost_usd / one.calls)


def _tools(tools: Sequence[CallFigures]) -> Sheet:
    ordered = sorted(tools, key=lambda one: (-one.errors, -(one.latency_ms[1] or 0), one.name))
    rows = [(one.name, one.calls, one.errors, one.errors / one.calls, *one.latency_ms) for one in ordered]
    columns = (Column("tool", "Tool", "text"), Column("calls", "Calls"), *_FAILED, *_LATENCY)
    return Sheet("call-tools", "Tools called", columns, rows, "The most often failing first.")


def _usage(used: Usage) -> tuple[Any, ...]:
    return used.input_tokens or 0, used.output_tokens or 0, micro(used.cost_usd)
