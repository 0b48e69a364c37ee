"""Reading traces: lists, one trace as a tree, its spans by page, figures over a window."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.errors import BadRequest, ValidationFailed
from specloop.record.traces.errors import TraceNotFound
from specloop.record.traces.model import (
    TREE_SPANS_MAX,
    GroupFigures,
    IntakeFigures,
    Outcome,
    Span,
    TraceDetail,
    TraceFigures,
    TraceFilter,
    TraceSummary,
    build_tree,
)
from specloop.record.traces.repository import figures, inbox, spans, traces

WINDOW_DEFAULT = timedelta(hours=24)
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_CURSOR = re.compile(r"(\d{1,20}):([0-9a-f]{16}|[0-9a-f]{32})")


class TraceReader:
    """Everything that is read about the traces of the caller's workspace."""

    def __init__(self, telemetry: TelemetryStore) -> None:
        self._telemetry = telemetry

    async def list_traces(self, ctx: Context, chosen: TraceFilter, page: PageRequest) -> Page[TraceSummary]:
        """The newest traces that `chosen` lets through.

        Raises: ValidationFailed for a cursor that is not ours.
        """
        found = await traces.find_traces(
            self._telemetry,
            ctx.workspace_id,
            chosen,
            limit=page.limit + 1,
            offset=page.offset,
            before=_position(page.cursor),
        )
        total = await traces.count_traces(self._telemetry, ctx.workspace_id, chosen) if page.is_counted else None
        results = found[: page.limit]
        cursor = _cursor(results[-1].start_ns, results[-1].trace_id) if len(found) > page.limit else None
        return Page(results, total, page.limit, page.offset, cursor)

    async def get_trace(self, ctx: Context, trace_id: str) -> TraceDetail:
        """One trace with its span tree.

        Raises: TraceNotFound.
        """
        summary = await self._summary(ctx, trace_id)
        rows = await spans.page_spans(self._telemetry, ctx.workspace_id, summary.trace_id, limit=TREE_SPANS_MAX)
        return TraceDetail(summary, build_tree(rows), summary.span_count > len(rows))

    async def list_spans(self, ctx: Context, trace_id: str, page: PageRequest) -> Page[Span]:
        """The spans of one trace by start time.

        Raises: TraceNotFound; ValidationFailed for a cursor that is not ours.
        """
        summary = await self._summary(ctx, trace_id)
        found = await spans.page_spans(
            self._telemetry,
            ctx.workspace_id,
            summary.trace_id,
            limit=page.limit + 1,
            offset=page.offset,
            after=_position(page.cursor) or (0, ""),
        )
        results = found[: page.limit]
        cursor = _cursor(results[-1].start_ns, results[-1].span_id) if len(found) > page.limit else None
        return Page(results, summary.span_count if page.is_counted else None, page.limit, page.offset, cursor)

    async def figures(self, ctx: Context, start: datetime | None, end: datetime | None) -> TraceFigures:
        """What the spans that started in [start, end) add up to; by default those of the last 24 hours.

        Raises: BadRequest when the window is empty.
        """
        end = end or ctx.clock.now()
        start = start or end - WINDOW_DEFAULT
        if start >= end:
            raise BadRequest("'from' must be before 'to'")
        window = (traces.nanoseconds(start), traces.nanoseconds(end))
        row = await figures.totals(self._telemetry, ctx.workspace_id, *window)
        groups = {
            group: [
                GroupFigures(**found)
                for found in await figures.by_group(self._telemetry, ctx.workspace_id, group, *window)
            ]
            for group in ("model", "agent", "service")
        }
        return TraceFigures(start=start, end=end, groups=groups, **row)

    async def intake_figures(self, ctx: Context) -> IntakeFigures:
        """What arrived by OTLP in the last 24 hours, counted from the full hour, and how far storing is behind."""
        now = ctx.clock.now()
        since = (now - WINDOW_DEFAULT).replace(minute=0, second=0, microsecond=0)
        counts = await inbox.intake_counts(ctx, since)
        waiting = await inbox.oldest_waiting(ctx)
        accepted = [count for count in counts if count.outcome == Outcome.ACCEPTED]
        refused = {count.outcome: count.spans for count in counts if count.outcome != Outcome.ACCEPTED}
        return IntakeFigures(
            spans_accepted=sum(count.spans for count in accepted),
            spans_rejected=sum(refused.values()),
            bytes=sum(count.bytes for count in accepted),
            by_reason=refused,
            by_service=await figures.received_by_service(
                self._telemetry, ctx.workspace_id, traces.nanoseconds(since) // 1_000
            ),
            lag_ms=0.0 if waiting is None else max(0.0, (now - waiting) / timedelta(milliseconds=1)),
            last_received_at=max((count.last_at for count in counts), default=None),
            start=since,
            end=now,
        )

    async def _summary(self, ctx: Context, trace_id: str) -> TraceSummary:
        wanted = trace_id.lower()
        summary = None
        if _TRACE_ID.fullmatch(wanted):
            summary = await traces.get_trace(self._telemetry, ctx.workspace_id, wanted)
        if summary is None:
            raise TraceNotFound
        return summary


def _cursor(start_ns: int, row_id: str) -> str:
    return base64.urlsafe_b64encode(f"{start_ns}:{row_id}".encode()).decode()


def _position(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        match = _CURSOR.fullmatch(base64.urlsafe_b64decode(cursor.encode()).decode())
    except (binascii.Error, ValueError):
        match = None
    if match is None or int(match[1]) >= 1 << 64:
        raise ValidationFailed.of(["query", "cursor"], "not a cursor of this list")
    return int(match[1]), match[2]
