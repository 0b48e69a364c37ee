"""Reading traces: lists, one trace as a tree, its spans by page, figures over a window."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.errors import BadRequest, ValidationFailed
from specloop.record.traces.errors import TraceNotFound
from specloop.record.traces.kept import Kept
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
    UsageGroup,
    build_tree,
)
from specloop.record.traces.pricing import priced, usage_of
from specloop.record.traces.repository import choosing, figures, inbox, opinions, outline, spans, traces
from specloop.record.traces.repository.matching import Matching, TraceSets, nanoseconds

WINDOW_DEFAULT = timedelta(hours=24)
FIGURES_KEPT = 16
FIGURES_SECONDS = 5.0
_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_CURSOR = re.compile(r"(\d{1,20}):([0-9a-f]{16}|[0-9a-f]{32})")


Settle = Callable[[str], Awaitable[None]]
"""Waits until what a workspace has sent so far is readable."""


class TraceReader:
    """Everything that is read about the traces of the caller's workspace."""

    def __init__(self, telemetry: TelemetryStore, settle: Settle | None = None) -> None:
        self._telemetry = telemetry
        self._settle = settle
        self._figures: Kept[TraceFigures] = Kept(FIGURES_KEPT)

    async def list_traces(self, ctx: Context, chosen: TraceFilter, page: PageRequest) -> Page[TraceSummary]:
        """The newest traces that `chosen` lets through.

        Raises: ValidationFailed for a cursor that is not ours.
        """
        before = _position(page.cursor)
        sets = await _sets(ctx, chosen)
        found, total = await asyncio.gather(
            choosing.choose_traces(
                self._telemetry,
                ctx.workspace_id,
                Matching(chosen, sets),
                limit=page.limit + 1,
                offset=page.offset,
                before=before,
            ),
            self._count(ctx.workspace_id, Matching(chosen, sets), page),
        )
        results = await traces.read_traces(self._telemetry, ctx.workspace_id, found[: page.limit])
        cursor = _cursor(results[-1].start_ns, results[-1].trace_id) if results and len(found) > page.limit else None
        return Page(results, total, page.limit, page.offset, cursor)

    async def traces_of_session(
        self, ctx: Context, session_client_id: str, window: tuple[datetime, datetime] | None = None, limit: int = 50
    ) -> Sequence[TraceSummary]:
        """The newest traces whose spans name that session or conversation, for pages of sessions; at most `limit`."""
        start, end = window or (None, None)
        chosen = TraceFilter(session_id=session_client_id, start=start, end=end)
        found = await choosing.choose_traces(self._telemetry, ctx.workspace_id, Matching(chosen), limit=limit)
        return await traces.read_traces(self._telemetry, ctx.workspace_id, found)

    async def exists(self, ctx: Context, trace_id: str) -> str:
        """The id of a trace as it is stored (lower case).

        Raises: TraceNotFound.
        """
        return (await self._place(ctx, trace_id)).trace_id

    async def _count(self, workspace_id: str, matching: Matching, page: PageRequest) -> int | None:
        return await choosing.count_traces(self._telemetry, workspace_id, matching) if page.is_counted else None

    async def _count_spans(self, workspace_id: str, trace: choosing.Placed, page: PageRequest) -> int | None:
        return await spans.count_within(self._telemetry, workspace_id, trace) if page.is_counted else None

    async def get_trace(self, ctx: Context, trace_id: str) -> TraceDetail:
        """One trace with its span tree.

        Raises: TraceNotFound.
        """
        placed = await self._place(ctx, trace_id)
        rows, summary = await spans.whole_trace(self._telemetry, ctx.workspace_id, placed, TREE_SPANS_MAX)
        return await self.detail(ctx, placed, rows, summary)

    async def detail(
        self, ctx: Context, placed: choosing.Placed, rows: Sequence[Span], summary: TraceSummary | None
    ) -> TraceDetail:
        """The trace whose first spans `rows` are, as they are stored; with its `summary` if it is at hand.

        Raises: TraceNotFound when it has none.
        """
        if not rows:
            raise TraceNotFound
        summary = summary or await self._summary(ctx, placed)
        return TraceDetail(summary, build_tree([priced(span) for span in rows]), summary.span_count > len(rows))

    async def list_all_spans(self, ctx: Context, trace_id: str) -> Sequence[Span]:
        """The first `TREE_SPANS_MAX` spans of one trace by start time.

        Raises: TraceNotFound.
        """
        placed = await self._place(ctx, trace_id)
        rows, _ = await spans.whole_trace(self._telemetry, ctx.workspace_id, placed, TREE_SPANS_MAX)
        return [priced(span) for span in rows]

    async def list_spans(self, ctx: Context, trace_id: str, page: PageRequest) -> Page[Span]:
        """The spans of one trace by start time.

        Raises: TraceNotFound; ValidationFailed for a cursor that is not ours.
        """
        placed, after = await self._place(ctx, trace_id), _position(page.cursor) or (0, "")
        found, total = await asyncio.gather(
            spans.page_spans(
                self._telemetry, ctx.workspace_id, placed, limit=page.limit + 1, offset=page.offset, after=after
            ),
            self._count_spans(ctx.workspace_id, placed, page),
        )
        results = [priced(span) for span in found[: page.limit]]
        cursor = _cursor(results[-1].start_ns, results[-1].span_id) if len(found) > page.limit else None
        return Page(results, total, page.limit, page.offset, cursor)

    async def figures(self, ctx: Context, start: datetime | None, end: datetime | None) -> TraceFigures:
        """What the spans that started in [start, end) add up to; by default those of the last 24 hours.

        An answer is given again for `FIGURES_SECONDS` while no span arrives: programs ask often until theirs is there.
        Raises: BadRequest when the window is empty.
        """
        age = int(ctx.clock.monotonic() / FIGURES_SECONDS)
        key, mark = (ctx.workspace_id, start, end), f"{await outline.mark(self._telemetry, ctx.workspace_id)} {age}"
        kept = self._figures.get(key, mark)
        return kept or self._figures.put(key, mark, await self._read_figures(ctx, start, end))

    async def _read_figures(self, ctx: Context, start: datetime | None, end: datetime | None) -> TraceFigures:
        end = end or ctx.clock.now()
        start = start or end - WINDOW_DEFAULT
        if start >= end:
            raise BadRequest("'from' must be before 'to'")
        window = (nanoseconds(start), nanoseconds(end))
        facts, count = await asyncio.gather(
            figures.facts(self._telemetry, ctx.workspace_id, *window),
            figures.traces_in(self._telemetry, ctx.workspace_id, *window),
        )
        return TraceFigures(
            start=start,
            end=end,
            traces=count,
            spans=facts.total["calls"],
            errors=facts.total["errors"],
            latency_ms=facts.total["latency_ms"],
            usage=usage_of(group for _, _, group in facts.usage),
            groups=_groups(facts),
        )

    async def agents_seen(self, ctx: Context, since: datetime) -> Sequence[tuple[str, str]]:
        """Distinct (id, name) of agents that spans received since `since` name; either part may be empty."""
        since_us = nanoseconds(since) // 1_000
        return await figures.agents_seen(self._telemetry, ctx.workspace_id, since_us)

    async def intake_figures(self, ctx: Context) -> IntakeFigures:
        """What arrived by OTLP in the last 24 hours, counted from the full hour, and how far storing is behind."""
        now = ctx.clock.now()
        since = (now - WINDOW_DEFAULT).replace(minute=0, second=0, microsecond=0)
        counts = await inbox.intake_counts(ctx, since)
        waiting = await inbox.oldest_waiting(ctx)
        stored, by_service = await figures.stored_since(self._telemetry, ctx.workspace_id, nanoseconds(since) // 1_000)
        accepted = [count for count in counts if count.outcome == Outcome.ACCEPTED]
        refused = {count.outcome: count.spans for count in counts if count.outcome != Outcome.ACCEPTED}
        return IntakeFigures(
            spans_accepted=sum(count.spans for count in accepted),
            spans_stored=stored,
            spans_rejected=sum(refused.values()),
            bytes=sum(count.bytes for count in accepted),
            by_reason=refused,
            by_service=by_service,
            lag_ms=0.0 if waiting is None else max(0.0, (now - waiting) / timedelta(milliseconds=1)),
            last_received_at=max((count.last_at for count in counts), default=None),
            start=since,
            end=now,
        )

    async def _place(self, ctx: Context, trace_id: str) -> choosing.Placed:
        """Where the trace is. One that was accepted a moment ago is waited for: its sender knows the id already."""
        wanted = trace_id.lower()
        if not _TRACE_ID.fullmatch(wanted):
            raise TraceNotFound
        found = await choosing.place(self._telemetry, ctx.workspace_id, wanted)
        if found is None and self._settle is not None and not ctx.uow.blocks_writers:
            await self._settle(ctx.workspace_id)
            found = await choosing.place(self._telemetry, ctx.workspace_id, wanted)
        if found is None:
            raise TraceNotFound
        return found

    async def _summary(self, ctx: Context, placed: choosing.Placed) -> TraceSummary:
        found = await traces.read_traces(self._telemetry, ctx.workspace_id, [placed])
        if not found:
            raise TraceNotFound
        return found[0]


async def _sets(ctx: Context, chosen: TraceFilter) -> TraceSets:
    """What the state store has to say about a filter."""
    return TraceSets(
        None if chosen.has_feedback is None else await opinions.traces_with_feedback(ctx),
        None if chosen.score_below is None else await opinions.traces_scored_below(ctx, chosen.score_below),
    )


def _groups(facts: figures.Facts) -> dict[str, list[GroupFigures]]:
    usage: dict[tuple[str, str], list[UsageGroup]] = {}
    for agent, service, group in facts.usage:
        for place in (("model", group.model), ("agent", agent), ("service", service)):
            usage.setdefault(place, []).append(group)
    groups: dict[str, list[GroupFigures]] = {"model": [], "agent": [], "service": []}
    for kind, name, row in facts.groups:
        if name or kind == "service":
            used_here = usage_of(usage.get((kind, name), ()))
            groups[kind].append(GroupFigures(name, row["calls"], row["errors"], row["latency_ms"], used_here))
    return groups


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
