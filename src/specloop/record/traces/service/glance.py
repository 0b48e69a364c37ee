"""Traces for people who look: the outline of one trace, one span in full, trends over time, and what is new."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.db.telemetry import TelemetryStore
from specloop.errors import BadRequest
from specloop.record.traces.errors import TraceNotFound
from specloop.record.traces.model import TREE_SPANS_MAX, GroupFigures, Span, TraceDetail, UsageGroup, build_tree
from specloop.record.traces.pricing import usage_of
from specloop.record.traces.repository import figures, outline, traces, trends
from specloop.record.traces.repository.matching import nanoseconds
from specloop.record.traces.repository.usage import usage_by_day
from specloop.record.traces.trends import DayFigures, ToolFigures, Trends

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


class TraceGlance:
    """What pages read of traces beyond the lists and trees of `TraceReader`."""

    def __init__(self, telemetry: TelemetryStore) -> None:
        self._telemetry = telemetry

    async def mark(self, ctx: Context) -> str:
        """A short text that changes whenever spans arrive in the workspace or leave it; cheap to ask for often."""
        return await outline.mark(self._telemetry, ctx.workspace_id)

    async def outline(self, ctx: Context, trace_id: str) -> TraceDetail:
        """One trace with its tree of spans, without their attributes, events and links.

        Raises: TraceNotFound.
        """
        wanted = trace_id.lower()
        if not _TRACE_ID.fullmatch(wanted):
            raise TraceNotFound
        found, spans = await asyncio.gather(
            traces.read_traces(self._telemetry, ctx.workspace_id, [wanted]),
            outline.outline(self._telemetry, ctx.workspace_id, wanted, TREE_SPANS_MAX),
        )
        if not found:
            raise TraceNotFound
        return TraceDetail(found[0], build_tree(spans), found[0].span_count > len(spans))

    async def span(self, ctx: Context, trace_id: str, span_id: str) -> Span | None:
        """One span with all that was sent; None when there is none."""
        trace, span = trace_id.lower(), span_id.lower()
        if not _TRACE_ID.fullmatch(trace) or not _SPAN_ID.fullmatch(span):
            return None
        return await outline.one_span(self._telemetry, ctx.workspace_id, trace, span)

    async def trends(self, ctx: Context, start: datetime, end: datetime) -> Trends:
        """What the spans that started in [start, end) add up to.

        Raises: BadRequest when the window is empty.
        """
        if start >= end:
            raise BadRequest("'from' must be before 'to'")
        window = (nanoseconds(start), nanoseconds(end))
        store, workspace_id = self._telemetry, ctx.workspace_id
        days, groups, tools, used = await asyncio.gather(
            trends.days(store, workspace_id, *window),
            figures.by_group(store, workspace_id, *window),
            trends.tools(store, workspace_id, *window),
            usage_by_day(store, workspace_id, *window),
        )
        by_day = _gathered((group.key, group) for _, group in used)
        by_model = _gathered((group.model, group) for _, group in used)
        by_agent = _gathered(used)
        return Trends(
            start=start,
            end=end,
            read_at=ctx.clock.now(),
            days=[DayFigures(**row, usage=usage_of(by_day.get(row["day"], ()))) for row in days],
            models=_shares(groups, "model", by_model),
            agents=_shares(groups, "agent", by_agent),
            tools=[ToolFigures(**row) for row in tools],
            usage=usage_of(group for _, group in used),
        )


def _gathered(pairs: Iterable[tuple[str, UsageGroup]]) -> dict[str, list[UsageGroup]]:
    found: dict[str, list[UsageGroup]] = {}
    for key, group in pairs:
        found.setdefault(key, []).append(group)
    return found


def _shares(
    rows: Sequence[Mapping[str, Any]], kind: str, used: Mapping[str, Sequence[UsageGroup]]
) -> list[GroupFigures]:
    return [
        GroupFigures(row["name"], row["spans"], row["errors"], row["latency_ms"], usage_of(used.get(row["name"], ())))
        for row in rows
        if row["kind"] == kind and row["name"]
    ]
