"""Which spans of a request are taken. A bad span is refused alone; the others are kept (OTLP partial success)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from specloop.record.traces.model import Outcome

AGE_MAX = timedelta(days=30)
AHEAD_MAX = timedelta(hours=1)
_AGE_NS = int(AGE_MAX / timedelta(microseconds=1)) * 1_000
_AHEAD_NS = int(AHEAD_MAX / timedelta(microseconds=1)) * 1_000
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)

_MESSAGES = {
    Outcome.TRACE_ID: "the trace id must be 16 bytes, not all zero (log records sent here look like this)",
    Outcome.SPAN_ID: "the span id must be 8 bytes, not all zero",
    Outcome.PARENT_ID: "the parent span id must be empty or 8 bytes",
    Outcome.ORDER: "the span ends before it starts",
    Outcome.TOO_OLD: f"the span started more than {AGE_MAX.days} days ago",
    Outcome.TOO_NEW: "the span ends more than one hour in the future",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`body` holds the accepted spans in protobuf (empty when there are none)."""

    body: bytes
    accepted: int
    rejected: Mapping[Outcome, int]

    @property
    def rejected_count(self) -> int:
        """How many spans were refused."""
        return sum(self.rejected.values())

    @property
    def message(self) -> str:
        """Why, in English, for `error_message`; empty when nothing was refused."""
        return "; ".join(f"{count} span(s): {_MESSAGES[reason]}" for reason, count in self.rejected.items())


def validate(message: ExportTraceServiceRequest, body: bytes | None, now_ns: int) -> Verdict:
    """Check every span of `message`; `body` is its protobuf form if there is one.

    Refused spans are taken out of `message`.
    """
    rejected: Counter[Outcome] = Counter()
    accepted = 0
    for resource_spans in message.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            faults = [(index, fault) for index, span in enumerate(spans) if (fault := _fault(span, now_ns)) is not None]
            for index, fault in reversed(faults):
                rejected[fault] += 1
                del spans[index]
            accepted += len(spans)
    if not accepted:
        return Verdict(b"", 0, rejected)
    return Verdict(message.SerializeToString() if rejected or body is None else body, accepted, rejected)


def why_refused(message: ResourceSpans, now_ns: int) -> str | None:
    """The first reason to refuse a span of `message`, in English; None when all are fine."""
    for scope_spans in message.scope_spans:
        for span in scope_spans.spans:
            fault = _fault(span, now_ns)
            if fault is not None:
                return _MESSAGES[fault]
    return None


def _fault(span: Span, now_ns: int) -> Outcome | None:
    trace_id, span_id = span.trace_id, span.span_id
    if len(trace_id) != 16 or trace_id == _NO_TRACE:
        return Outcome.TRACE_ID
    if len(span_id) != 8 or span_id == _NO_SPAN:
        return Outcome.SPAN_ID
    if len(span.parent_span_id) not in (0, 8):
        return Outcome.PARENT_ID
    start, end = span.start_time_unix_nano, span.end_time_unix_nano
    if end < start:
        return Outcome.ORDER
    if start < now_ns - _AGE_NS:
        return Outcome.TOO_OLD
    return Outcome.TOO_NEW if end > now_ns + _AHEAD_NS else None
