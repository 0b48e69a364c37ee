"""Reading traces: lists, one trace as a tree, its spans by page, figures over a window."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
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
    TraceStatus,
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
RECOVERED_KEPT = 64
RECOVERED_SECONDS = 10.0
LOOKS_PER_TRACE = {TraceStatus.ERROR: (1, 2), TraceStatus.OK: (1.25, 4)}
"""How many traces are looked at, per wanted one, before all that recovered are searched for."""

_TRACE_ID = re.compile(r"[0-9a-f]{32}")
_TRACE_CURSOR = re.compile(r"([0-9]{1,20}):([0-9a-f]{32})")
_SPAN_CURSOR = re.compile(r"([0-9]{1,20}):([0-9a-f]{16})")


Settle = Callable[[str], Awaitable[None]]
"""Waits until what a workspace has sent so far is readable."""

WordsOfAgent = Callable[[Context, str], Awaitable[Sequence[str]]]
"""By what names spans may call the agent with an id: who keeps agents knows."""


class TraceReader:
    """Everything that is read about the traces of the caller's workspace."""

    def __init__(
        self, telemetry: TelemetryStore, settle: Settle | None = None, words_of_agent: WordsOfAgent | None = None
    ) -> None:
        self._telemetry = telemetry
        self._settle = settle
        self._words_of_agent = words_of_agent
        self._figures: Kept[TraceFigures] = Kept(FIGURES_KEPT)
        self._recovered: Kept[Sequence[str]] = Kept(RECOVERED_KEPT)

    async def list_traces(self, ctx: Context, chosen: TraceFilter, page: PageRequest) -> Page[TraceSummary]:
        """The newest traces that `chosen` lets through. Those that are deleted meanwhile leave a page shorter.

        Raises: ValidationFailed for a cursor that is not ours.
        """
        before = _position(page.cursor, _TRACE_CURSOR)
        sets = await self._sets(ctx, chosen)
        choose = self._choose if chosen.status is None else self._choose_by_status
        (results, cursor), total = await asyncio.gather(
            choose(ctx, chosen, sets, page, before), self._count(ctx, chosen, sets, page)
        )
        is_whole = page.cursor is None and cursor is None and (results or not page.offset)
        if total is not None and chosen.status is not None and is_whole:
            total = page.offset + len(results)  # the count may be `RECOVERED_SECONDS` behind
        return Page(results, total, page.limit, page.offset, cursor)

    async def _sets(self, ctx: Context, chosen: TraceFilter) -> TraceSets:
        """What the state store has to say about a filter."""
        words: Sequence[str] = ()
        if chosen.agent_id is not None and self._words_of_agent is not None:
            words = await self._words_of_agent(ctx, chosen.agent_id)
        return TraceSets(
            None if chosen.has_feedback is None else await opinions.traces_with_feedback(ctx),
            None if chosen.score_below is None else await opinions.traces_scored_below(ctx, chosen.score_below),
            words,
        )

    async def _choose(
        self, ctx: Context, chosen: TraceFilter, sets: TraceSets, page: PageRequest, before: tuple[int, str] | None
    ) -> tuple[Sequence[TraceSummary], str | None]:
        """The page and the cursor of the next one. It is made of the place in the list, which a later version of a
        span may move in the summary."""
        found = await choosing.choose_traces(
            self._telemetry,
            ctx.workspace_id,
            Matching(chosen, sets),
            limit=page.limit + 1,
            offset=page.offset,
            before=before,
        )
        results = await traces.read_traces(self._telemetry, ctx.workspace_id, found[: page.limit])
        return results, _cursor_at(found, page.limit)

    async def _choose_by_status(
        self, ctx: Context, chosen: TraceFilter, sets: TraceSets, page: PageRequest, before: tuple[int, str] | None
    ) -> tuple[Sequence[TraceSummary], str | None]:
        """The same for a filter by status, which only summaries tell for sure: a span that failed may have been
        delivered again as a success. That is rare, so the summaries of a page are looked at first."""
        # every trace that failed is marked; among the others, any may be one that recovered
        wide = chosen if chosen.status is TraceStatus.ERROR else replace(chosen, status=None)
        wanted = page.limit + 1
        for looks in () if page.offset else LOOKS_PER_TRACE[chosen.status or TraceStatus.OK]:
            most = int(wanted * looks)
            found = await choosing.choose_traces(
                self._telemetry, ctx.workspace_id, Matching(wide, sets), limit=most, before=before
            )
            read = await traces.read_traces(self._telemetry, ctx.workspace_id, found)
            fitting = {trace.trace_id: trace for trace in read if trace.status is chosen.status}
            placed = [trace for trace in found if trace.trace_id in fitting]
            if len(placed) >= wanted or len(found) < most:
                return list(fitting.values())[: page.limit], _cursor_at(placed, page.limit)
        mark = await outline.mark(self._telemetry, ctx.workspace_id)
        exact = replace(sets, recovered=await self._read_recovered(ctx, "list", mark))
        return await self._choose(ctx, chosen, exact, page, before)

    async def _read_recovered(self, ctx: Context, purpose: str, mark: str) -> Sequence[str]:
        key = (ctx.workspace_id, purpose)
        kept = self._recovered.get(key, mark)
        if kept is not None:
            return kept
        return self._recovered.put(key, mark, await choosing.recovered_traces(self._telemetry, ctx.workspace_id))

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

    async def _count(self, ctx: Context, chosen: TraceFilter, sets: TraceSets, page: PageRequest) -> int | None:
        if not page.is_counted:
            return None
        if chosen.status is not None:
            age = str(int(ctx.clock.monotonic() / RECOVERED_SECONDS))
            sets = replace(sets, recovered=await self._read_recovered(ctx, "count", age))
        return await choosing.count_traces(self._telemetry, ctx.workspace_id, Matching(chosen, sets))

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
        placed, after = await self._place(ctx, trace_id), _position(page.cursor, _SPAN_CURSOR) or (0, "")
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


def _cursor_at(found: Sequence[choosing.Placed], limit: int) -> str | None:
    """The cursor behind the last of `limit` traces; None when there are no more."""
    return _cursor(found[limit - 1].first_ns, found[limit - 1].trace_id) if len(found) > limit else None


def _position(cursor: str | None, form: re.Pattern[str]) -> tuple[int, str] | None:
    if cursor is None:
        return None
    try:
        match = form.fullmatch(base64.urlsafe_b64decode(cursor.encode()).decode())
    except (binascii.Error, ValueError):
        match = None
    if match is None or int(match[1]) >= 1 << 64:
        raise ValidationFailed.of(["query", "cursor"], "not a cursor of this list")
    return int(match[1]), match[2]
