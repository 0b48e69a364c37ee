"""What traces and spans are, as readers see them, and the rules that need no store."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

TREE_DEPTH_MAX = 100
TREE_SPANS_MAX = 2_000


class Outcome(StrEnum):
    """What became of a received span; all but the first are reasons of refusal (spectral.md §6.1)."""

    ACCEPTED = "accepted"
    TRACE_ID = "invalid_trace_id"
    SPAN_ID = "invalid_span_id"
    PARENT_ID = "invalid_parent_span_id"
    ORDER = "ends_before_start"
    TOO_OLD = "too_old"
    TOO_NEW = "in_the_future"


class TraceStatus(StrEnum):
    """`error` when any span of the trace failed."""

    OK = "ok"
    ERROR = "error"


SPAN_KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
SPAN_STATUSES = ("unset", "ok", "error")


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money of model calls; None where no span told.

    Cached tokens are a part of the input, reasoning is a part of the output. `calls_unpriced` are the calls whose model
    the price list does not know, so that `cost_usd` leaves them out.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: Decimal | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    calls_unpriced: int = 0


@dataclass(frozen=True, slots=True)
class UsageGroup:
    """Calls that share rates: one model in one price tier. `told` is the cost of those whose sender named it; the other
    members count only calls whose sender did not. `key` is what the caller grouped by, such as a trace id."""

    key: str
    is_call: bool
    provider: str
    model: str
    tier_tokens: int
    last_ns: int
    calls: int
    tokens: Usage
    untold: Usage
    untold_calls: int
    told: Decimal | None


@dataclass(frozen=True, slots=True)
class GenAI:
    """What the GenAI conventions of either generation say about a span; empty where it says nothing."""

    operation: str = ""
    provider: str = ""
    model: str = ""
    agent_id: str = ""
    agent_name: str = ""
    session_id: str = ""
    user_id: str = ""
    tool_name: str = ""
    error_type: str = ""
    request_model: str = ""
    response_model: str = ""
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened inside a span."""

    time_ns: int
    name: str
    attributes: Mapping[str, Any]
    dropped_attributes: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A span of another trace that belongs with this one."""

    trace_id: str
    span_id: str
    trace_state: str
    attributes: Mapping[str, Any]
    dropped_attributes: int = 0


@dataclass(frozen=True, slots=True)
class Scope:
    """The instrumentation that made a span."""

    name: str
    version: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Span:
    """One step of a trace. Ids are lower-case hex, times nanoseconds since 1970 in UTC.

    As it is stored, `usage.cost_usd` is what the sender named; `pricing.priced` fills in what the price list knows.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: int
    service_name: str
    start_ns: int
    end_ns: int
    status_code: int
    status_message: str
    trace_state: str
    flags: int
    scope: Scope
    attributes: Mapping[str, Any]
    resource_attributes: Mapping[str, Any]
    events: Sequence[Event]
    links: Sequence[Link]
    dropped: tuple[int, int, int]
    genai: GenAI
    usage: Usage
    tags: Sequence[str]

    @property
    def is_failed(self) -> bool:
        """Whether its status says so."""
        return self.status_code == SPAN_STATUSES.index("error")


@dataclass(frozen=True, slots=True)
class TraceSummary:
    """A trace in a list."""

    trace_id: str
    name: str
    root_span_id: str
    status: TraceStatus
    start_ns: int
    end_ns: int
    span_count: int
    error_count: int
    usage: Usage
    service_names: Sequence[str]
    agent_ids: Sequence[str]
    agent_names: Sequence[str]
    models: Sequence[str]
    session_ids: Sequence[str]
    user_ids: Sequence[str]
    tags: Sequence[str]
    score_min: float | None = None


class Comparison(StrEnum):
    """How a condition looks at an attribute; `gt` and `lt` compare numbers."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    CONTAINS = "contains"
    EXISTS = "exists"
    GREATER = "gt"
    LESS = "lt"


@dataclass(frozen=True, slots=True)
class AttributeCondition:
    """Some span of the trace has an attribute `key` that fits; other types are compared in their text form."""

    key: str
    comparison: Comparison
    value: str = ""


@dataclass(frozen=True, slots=True)
class TraceFilter:
    """Which traces; None means no condition. `start` is inclusive, `end` exclusive, both about the trace's start.

    `score_below`: the lowest score that anybody or anything gave is below it. `text`: all its words occur in one span;
    a "quoted phrase" occurs literally.
    """

    agent_id: str | None = None
    status: TraceStatus | None = None
    start: datetime | None = None
    end: datetime | None = None
    tag: str | None = None
    session_id: str | None = None
    latency_ms_min: float | None = None
    text: str | None = None
    has_feedback: bool | None = None
    score_below: float | None = None
    latency_ms_max: float | None = None
    agent_name: str | None = None
    model: str | None = None
    service: str | None = None
    user_id: str | None = None
    attributes: tuple[AttributeCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """The share of one model, agent or service."""

    name: str
    spans: int
    errors: int
    latency_ms: Sequence[float]
    usage: Usage


@dataclass(frozen=True, slots=True)
class TraceFigures:
    """What the spans of a window add up to; `latency_ms` holds p50, p95 and p99 of span durations."""

    start: datetime
    end: datetime
    traces: int
    spans: int
    errors: int
    latency_ms: Sequence[float]
    usage: Usage
    groups: Mapping[str, Sequence[GroupFigures]]


@dataclass(frozen=True, slots=True)
class IntakeFigures:
    """What arrived by OTLP in a window; `lag_ms` is the age of the oldest request that is not readable yet.

    `spans_accepted` counts deliveries, `spans_stored` the distinct spans of the window that queries see.
    """

    spans_accepted: int
    spans_stored: int
    spans_rejected: int
    bytes: int
    by_reason: Mapping[str, int]
    by_service: Mapping[str, int]
    lag_ms: float
    last_received_at: datetime | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class SpanNode:
    """A span and what it called, by start time."""

    span: Span
    children: list[SpanNode] = field(default_factory=list["SpanNode"])


@dataclass(frozen=True, slots=True)
class TraceDetail:
    """A trace with its spans as a tree; very long traces show their first `TREE_SPANS_MAX` spans."""

    summary: TraceSummary
    roots: Sequence[SpanNode]
    is_truncated: bool


def build_tree(spans: Sequence[Span]) -> list[SpanNode]:
    """The roots of `spans`, each span exactly once.

    A span whose parent is not here is a root, and so is one span of a ring. Below `TREE_DEPTH_MAX` levels, descendants
    are listed as siblings: every JSON reader has a limit for nesting.
    """
    nodes = {span.span_id: SpanNode(span) for span in sorted(spans, key=lambda span: (span.start_ns, span.span_id))}
    children: dict[str | None, list[SpanNode]] = {}
    for node in nodes.values():
        parent = node.span.parent_span_id
        children.setdefault(parent if parent in nodes else None, []).append(node)
    roots: list[SpanNode] = []
    placed: set[str] = set()
    for start in (*children.get(None, ()), *nodes.values()):
        if start.span.span_id not in placed:
            roots.append(start)
            _hang(start, children, placed)
    return roots


def _hang(root: SpanNode, children: Mapping[str | None, Sequence[SpanNode]], placed: set[str]) -> None:
    placed.add(root.span.span_id)
    waiting = deque([(root, root, 1)])
    while waiting:
        node, holder, depth = waiting.popleft()
        for child in children.get(node.span.span_id, ()):
            if child.span.span_id in placed:
                continue
            placed.add(child.span.span_id)
            holder.children.append(child)
            is_deep = depth + 1 >= TREE_DEPTH_MAX
            waiting.append((child, holder, depth) if is_deep else (child, child, depth + 1))


def all_spans(nodes: Sequence[SpanNode]) -> list[Span]:
    """The spans of `nodes` and of everything below them."""
    found: list[Span] = []
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        found.append(node.span)
        waiting += node.children
    return found
