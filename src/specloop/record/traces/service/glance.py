"""Traces for people who look: lists that are kept while nothing arrives, the outline of a trace, one span, trends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.errors import BadRequest
from specloop.record.traces.errors import TraceNotFound
from specloop.record.traces.kept import Kept
from specloop.record.traces.model import (
    TREE_SPANS_MAX,
    Span,
    TraceDetail,
    TraceFilter,
    TraceSummary,
    Usage,
    UsageGroup,
)
from specloop.record.traces.pricing import priced, usage_of
from specloop.record.traces.repository import choosing, outline, trends
from specloop.record.traces.repository.matching import nanoseconds
from specloop.record.traces.repository.usage import usage_by_day
from specloop.record.traces.service.reading import TraceReader
from specloop.record.traces.trends import CallFigures, DayFigures, Trends

LISTS_KEPT = 64
OUTLINES_KEPT = 16
TRENDS_KEPT = 64
TRENDS_SECONDS = 60.0
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_SPAN_ID = re.compile(r"[0-9a-f]{16}")


class TraceGlance:
    """What pages read of traces. What was read once is kept until the spans of the workspace change."""

    def __init__(self, telemetry: TelemetryStore, reader: TraceReader) -> None:
        self._telemetry = telemetry
        self._reader = reader
        self._lists: Kept[Page[TraceSummary]] = Kept(LISTS_KEPT)
        self._outlines: Kept[TraceDetail] = Kept(OUTLINES_KEPT)
        self._trends: Kept[asyncio.Task[Trends]] = Kept(TRENDS_KEPT)

    async def mark(self, ctx: Context) -> str:
        """A short text that changes whenever spans arrive in the workspace or leave it; cheap to ask for often."""
        return await outline.mark(self._telemetry, ctx.workspace_id)

    async def list_traces(self, ctx: Context, chosen: TraceFilter, page: PageRequest) -> Page[TraceSummary]:
        """As `TraceReader.list_traces`.

        Raises: ValidationFailed for a cursor that is not ours.
        """
        if (chosen.has_feedback, chosen.score_below, chosen.agent_id) != (None, None, None):
            return await self._reader.list_traces(ctx, chosen, page)  # opinions and the registry leave no mark
        key, mark = (ctx.workspace_id, chosen, page), await self.mark(ctx)
        kept = self._lists.get(key, mark)
        return kept or self._lists.put(key, mark, await self._reader.list_traces(ctx, chosen, page))

    async def outline(self, ctx: Context, trace_id: str) -> TraceDetail:
        """One trace with its tree of spans, without their attributes, events and links.

        Raises: TraceNotFound.
        """
        wanted = trace_id.lower()
        if not _TRACE_ID.fullmatch(wanted):
            raise TraceNotFound
        key, mark = (ctx.workspace_id, wanted), await self.mark(ctx)
        return self._outlines.get(key, mark) or self._outlines.put(key, mark, await self._outline(ctx, wanted))

    async def _outline(self, ctx: Context, trace_id: str) -> TraceDetail:
        placed = await choosing.place(self._telemetry, ctx.workspace_id, trace_id)
        if placed is None:
            raise TraceNotFound
        spans, summary = await outline.outline(self._telemetry, ctx.workspace_id, placed, TREE_SPANS_MAX)
        return await self._reader.detail(ctx, placed, spans, summary)

    async def span(self, ctx: Context, trace_id: str, span_id: str) -> Span | None:
        """One span with all that was sent; None when there is none."""
        trace, span = trace_id.lower(), span_id.lower()
        if not _TRACE_ID.fullmatch(trace) or not _SPAN_ID.fullmatch(span):
            return None
        placed = await choosing.place(self._telemetry, ctx.workspace_id, trace)
        found = await outline.one_span(self._telemetry, ctx.workspace_id, placed, span) if placed else None
        return priced(found) if found else None

    async def trends(
        self, ctx: Context, start: datetime, end: datetime, *, patience: float | None = None
    ) -> Trends | None:
        """What the spans that started in [start, end) add up to, at most `TRENDS_SECONDS` old.

        None when that takes longer than `patience` (seconds); it goes on, so that asking again is answered sooner.
        Raises: BadRequest when the window is empty.
        """
        if start >= end:
            raise BadRequest("'from' must be before 'to'")
        key, age = (ctx.workspace_id, start, end), str(int(ctx.clock.monotonic() / TRENDS_SECONDS))
        running = self._trends.get(key, age)
        if running is None or _is_useless(running):
            running = self._trends.put(key, age, asyncio.create_task(self._read_trends(ctx, start, end)))
        done, _ = await asyncio.wait([running], timeout=patience)
        return running.result() if done else None

    async def _read_trends(self, ctx: Context, start: datetime, end: datetime) -> Trends:
        store, workspace_id, window = self._telemetry, ctx.workspace_id, (nanoseconds(start), nanoseconds(end))
        used, days, tools, models, agents = await asyncio.gather(
            usage_by_day(store, workspace_id, *window),
            trends.days(store, workspace_id, *window),
            trends.groups(store, workspace_id, "tool", *window),
            trends.groups(store, workspace_id, "model", *window),
            trends.groups(store, workspace_id, "agent", *window),
        )
        by_day = _gathered((group.key, group) for _, group in used)
        by_model = _gathered((group.model, group) for _, group in used)
        return Trends(
            start=start,
            end=end,
            read_at=ctx.clock.now(),
            days=[DayFigures(**row, usage=usage_of(by_day.get(row["day"], ()))) for row in days],
            models=[_figures(row, by_model) for row in models],
            agents=[_figures(row, _gathered(used)) for row in agents],
            tools=[_figures(row, {}) for row in tools],
            usage=usage_of(group for _, group in used),
        )


def _is_useless(running: asyncio.Task[Trends]) -> bool:
    """Failed, or without a span: who just sent the first ones wants to see them, and counting nothing is cheap."""
    if not running.done():
        return False
    return running.cancelled() or running.exception() is not None or not running.result().spans


def _gathered(pairs: Iterable[tuple[str, UsageGroup]]) -> dict[str, list[UsageGroup]]:
    found: dict[str, list[UsageGroup]] = {}
    for key, group in pairs:
        found.setdefault(key, []).append(group)
    return found


def _figures(row: Mapping[str, Any], used: Mapping[str, Sequence[UsageGroup]]) -> CallFigures:
    p50, p95 = (value if isfinite(value) else None for value in row["latency_ms"])
    usage = usage_of(used[row["name"]]) if row["name"] in used else Usage()
    return CallFigures(row["name"], row["calls"], row["errors"], (p50, p95), usage)
