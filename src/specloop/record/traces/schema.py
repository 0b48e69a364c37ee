"""Traces on the wire (spectral.md §1.3 routers 15, 19): shapes for the documents and the functions that fill them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from specloop.kit.clock import format_time
from specloop.record.traces.model import (
    SPAN_KINDS,
    SPAN_STATUSES,
    GroupFigures,
    IntakeFigures,
    Span,
    SpanNode,
    TraceDetail,
    TraceFigures,
    TraceStatus,
    TraceSummary,
    Usage,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UsageBody(BaseModel):
    """Null where no span told. Money is a decimal string in USD with 8 places, and whole micro-dollars.

    Cached tokens are a part of the input tokens, reasoning tokens of the output tokens. The cost is what senders told,
    else what the price list says; `calls_unpriced` calls of unknown models are not in it.
    """

    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    reasoning_tokens: int | None
    cost_usd: str | None
    micro_usd: int | None
    calls_unpriced: int


class TraceBody(UsageBody):
    """A trace in a list. `status` is `error` when any span failed."""

    trace_id: str
    name: str
    status: TraceStatus
    started_at: str
    ended_at: str
    duration_ms: float
    span_count: int
    error_count: int
    root_span_id: str
    services: list[str]
    agent_ids: list[str]
    agents: list[str]
    models: list[str]
    session_ids: list[str]
    user_ids: list[str]
    tags: list[str]
    score_min: float | None


class EventBody(BaseModel):
    """Something that happened inside a span; `time_unix_nano` is a decimal string."""

    name: str
    time: str
    time_unix_nano: str
    attributes: dict[str, Any]
    dropped_attributes_count: int


class LinkBody(BaseModel):
    """A span of another trace."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: dict[str, Any]
    dropped_attributes_count: int


class ScopeBody(BaseModel):
    """The instrumentation that made a span."""

    name: str
    version: str
    attributes: dict[str, Any]


class SpanBody(UsageBody):
    """One span. The GenAI members are null where the span says nothing; `attributes` has all that was sent."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    service: str
    status: str
    status_message: str
    started_at: str
    ended_at: str
    start_time_unix_nano: str
    end_time_unix_nano: str
    duration_ms: float
    operation: str | None
    provider: str | None
    model: str | None
    agent_id: str | None
    agent_name: str | None
    session_id: str | None
    user_id: str | None
    tool_name: str | None
    tool_call_id: str | None
    request_model: str | None
    response_model: str | None
    error_type: str | None
    trace_state: str
    flags: int
    dropped_attributes_count: int
    dropped_events_count: int
    dropped_links_count: int
    tags: list[str]
    scope: ScopeBody
    attributes: dict[str, Any]
    resource_attributes: dict[str, Any]
    events: list[EventBody]
    links: list[LinkBody]


class SpanNodeBody(SpanBody):
    """A span and what it called."""

    children: list[SpanNodeBody]


class TraceDetailBody(TraceBody):
    """A trace with its span tree; `truncated` when it has more spans than a tree shows."""

    truncated: bool
    spans: list[SpanNodeBody]


class GroupBody(UsageBody):
    """The share of one model, agent or service."""

    name: str
    spans: int
    errors: int
    latency_ms: dict[str, float | None]


class TraceStatsBody(UsageBody):
    """Figures over a window; latencies are span durations."""

    traces: int
    spans: int
    errors: int
    latency_ms: dict[str, float | None]
    window: dict[str, str]
    by_model: list[GroupBody]
    by_agent: list[GroupBody]
    by_service: list[GroupBody]


class IntakeStatsBody(BaseModel):
    """What arrived by OTLP."""

    spans_accepted: int
    spans_stored: int
    spans_rejected: int
    bytes: int
    lag_ms: float
    last_received_at: str | None
    window: dict[str, str]
    by_reason: dict[str, int]
    by_service: dict[str, int]


def render_trace(trace: TraceSummary) -> dict[str, Any]:
    """`TraceBody`."""
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "status": trace.status.value,
        "started_at": _time(trace.start_ns),
        "ended_at": _time(trace.end_ns),
        "duration_ms": (trace.end_ns - trace.start_ns) / 1e6,
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "root_span_id": trace.root_span_id,
        **_usage(trace.usage),
        "services": list(trace.service_names),
        "agent_ids": list(trace.agent_ids),
        "agents": list(trace.agent_names),
        "models": list(trace.models),
        "session_ids": list(trace.session_ids),
        "user_ids": list(trace.user_ids),
        "tags": list(trace.tags),
        "score_min": trace.score_min,
    }


def render_detail(detail: TraceDetail) -> dict[str, Any]:
    """`TraceDetailBody`."""
    return {
        **render_trace(detail.summary),
        "truncated": detail.is_truncated,
        "spans": [_node(node) for node in detail.roots],
    }


def render_span(span: Span) -> dict[str, Any]:
    """`SpanBody`."""
    genai = {name: getattr(span.genai, name) or None for name in span.genai.__slots__}
    return {
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": span.name,
        "kind": _word(SPAN_KINDS, span.kind),
        "service": span.service_name,
        "status": _word(SPAN_STATUSES, span.status_code),
        "status_message": span.status_message,
        "started_at": _time(span.start_ns),
        "ended_at": _time(span.end_ns),
        "start_time_unix_nano": str(span.start_ns),
        "end_time_unix_nano": str(span.end_ns),
        "duration_ms": (span.end_ns - span.start_ns) / 1e6,
        **genai,
        **_usage(span.usage),
        "trace_state": span.trace_state,
        "flags": span.flags,
        "dropped_attributes_count": span.dropped[0],
        "dropped_events_count": span.dropped[1],
        "dropped_links_count": span.dropped[2],
        "tags": list(span.tags),
        "scope": {"name": span.scope.name, "version": span.scope.version, "attributes": span.scope.attributes},
        "attributes": span.attributes,
        "resource_attributes": span.resource_attributes,
        "events": [
            {
                "name": event.name,
                "time": _time(event.time_ns),
                "time_unix_nano": str(event.time_ns),
                "attributes": event.attributes,
                "dropped_attributes_count": event.dropped_attributes,
            }
            for event in span.events
        ],
        "links": [
            {
                "trace_id": link.trace_id,
                "span_id": link.span_id,
                "trace_state": link.trace_state,
                "attributes": link.attributes,
                "dropped_attributes_count": link.dropped_attributes,
            }
            for link in span.links
        ],
    }


def render_stats(figures: TraceFigures) -> dict[str, Any]:
    """`TraceStatsBody`."""
    return {
        "traces": figures.traces,
        "spans": figures.spans,
        "errors": figures.errors,
        **_usage(figures.usage),
        "latency_ms": _latencies(figures.latency_ms),
        "window": _window(figures.start, figures.end),
        **{f"by_{group}": [_group(row) for row in rows] for group, rows in figures.groups.items()},
    }


def render_intake(figures: IntakeFigures) -> dict[str, Any]:
    """`IntakeStatsBody`."""
    last = figures.last_received_at
    return {
        "spans_accepted": figures.spans_accepted,
        "spans_stored": figures.spans_stored,
        "spans_rejected": figures.spans_rejected,
        "bytes": figures.bytes,
        "lag_ms": figures.lag_ms,
        "last_received_at": None if last is None else format_time(last),
        "window": _window(figures.start, figures.end),
        "by_reason": dict(figures.by_reason),
        "by_service": dict(figures.by_service),
    }


def _node(node: SpanNode) -> dict[str, Any]:
    return {**render_span(node.span), "children": [_node(child) for child in node.children]}


def _group(row: GroupFigures) -> dict[str, Any]:
    return {
        "name": row.name,
        "spans": row.spans,
        "errors": row.errors,
        "latency_ms": _latencies(row.latency_ms),
        **_usage(row.usage),
    }


def _latencies(values: Sequence[float]) -> dict[str, float | None]:
    numbers = [None if math.isnan(value) else value for value in values]
    return dict(zip(("p50", "p95", "p99"), numbers, strict=True))


def _usage(usage: Usage) -> dict[str, Any]:
    cost = usage.cost_usd
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "reasoning_tokens": usage.reasoning_tokens,
        "cost_usd": None if cost is None else f"{cost:.8f}",
        "micro_usd": None if cost is None else int((cost * 1_000_000).to_integral_value()),
        "calls_unpriced": usage.calls_unpriced,
    }


def _window(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": format_time(start), "to": format_time(end)}


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else words[0]


def _time(nanoseconds: int) -> str:
    return format_time(_EPOCH + timedelta(microseconds=nanoseconds // 1_000))
