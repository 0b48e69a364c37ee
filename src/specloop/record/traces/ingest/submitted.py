"""Traces in plain JSON (spectral.md §1.3, router 15) as OTLP spans, so that there is one way in.

A trace becomes a root span with its input, output and metadata; its spans hang below it. Ids that the sender leaves out
are derived from those it gives, so that sending the same trace again gives the same spans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status
from pydantic import AwareDatetime, Field, StringConstraints

from specloop.kit import json
from specloop.transport.schema import Input, JSONObject, JSONValue

TraceId = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{32}$")]
SpanId = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{16}$")]
Text = Annotated[str, StringConstraints(max_length=1_000)]
Tokens = Annotated[int | None, Field(ge=0, lt=1 << 62)]
DEPTH_MAX = 24
"""Below it values are kept as JSON: protobuf takes a hundred levels, and each of ours is three of them."""

_LAST_NS = (1 << 64) - 1
_CODES = {"unset": Status.STATUS_CODE_UNSET, "ok": Status.STATUS_CODE_OK, "error": Status.STATUS_CODE_ERROR}
_KINDS = {
    "internal": Span.SPAN_KIND_INTERNAL,
    "server": Span.SPAN_KIND_SERVER,
    "client": Span.SPAN_KIND_CLIENT,
    "producer": Span.SPAN_KIND_PRODUCER,
    "consumer": Span.SPAN_KIND_CONSUMER,
}


class SubmittedEvent(Input):
    """Something that happened inside a span."""

    name: Text
    time: AwareDatetime | None = None
    attributes: JSONObject = Field(default_factory=dict)


class SubmittedSpan(Input):
    """One step. Without times it takes those of its trace; `operation` is a word of the GenAI conventions."""

    span_id: SpanId | None = None
    parent_span_id: SpanId | None = None
    name: Text = ""
    kind: Literal["internal", "server", "client", "producer", "consumer"] = "internal"
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    status: Literal["unset", "ok", "error"] = "unset"
    status_message: Text = ""
    operation: Text = ""
    provider: Text = ""
    model: Text = ""
    agent: Text = ""
    tool: Text = ""
    input: JSONValue = None
    output: JSONValue = None
    input_tokens: Tokens = None
    output_tokens: Tokens = None
    cost_usd: Annotated[float | None, Field(ge=0, le=1e9)] = None
    attributes: JSONObject = Field(default_factory=dict)
    events: Annotated[list[SubmittedEvent], Field(max_length=1_000)] = Field(default_factory=list[SubmittedEvent])


class SubmittedTrace(Input):
    """One trace. Without times it is of now."""

    trace_id: TraceId | None = None
    name: Text = ""
    agent: Text = ""
    session_id: Text = ""
    user_id: Text = ""
    input: JSONValue = None
    output: JSONValue = None
    started_at: AwareDatetime | None = None
    ended_at: AwareDatetime | None = None
    status: Literal["unset", "ok", "error"] = "unset"
    status_message: Text = ""
    tags: Annotated[list[Text], Field(max_length=100)] = Field(default_factory=list[Text])
    metadata: JSONObject = Field(default_factory=dict)
    spans: Annotated[list[SubmittedSpan], Field(max_length=10_000)] = Field(default_factory=list[SubmittedSpan])


def to_otlp(trace: SubmittedTrace, trace_id: bytes, now: datetime) -> ResourceSpans:
    """The trace as spans, its root first."""
    root_id = _digest(trace_id, "root")
    end = trace.ended_at or max(
        (span.ended_at for span in trace.spans if span.ended_at), default=trace.started_at or now
    )
    start = trace.started_at or min((span.started_at for span in trace.spans if span.started_at), default=end)
    message = ResourceSpans()
    message.resource.attributes.append(_attribute("service.name", trace.agent or "json"))
    scope = message.scope_spans.add()
    scope.scope.name = "specloop.json"
    root = Span(
        trace_id=trace_id,
        span_id=root_id,
        name=trace.name or (f"invoke_agent {trace.agent}" if trace.agent else "trace"),
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=_nanoseconds(start),
        end_time_unix_nano=_nanoseconds(end),
        attributes=_attributes(_of_trace(trace)),
        status=Status(code=_CODES[trace.status], message=trace.status_message),
    )
    scope.spans.append(root)
    for index, span in enumerate(trace.spans):
        scope.spans.append(_span(span, index, trace_id, root_id, (start, end)))
    return message


def _span(span: SubmittedSpan, index: int, trace_id: bytes, root_id: bytes, when: tuple[datetime, datetime]) -> Span:
    start = span.started_at or (min(when[0], span.ended_at) if span.ended_at else when[0])
    end = span.ended_at or max(start, when[1])
    subject = span.model or span.tool or span.agent
    return Span(
        trace_id=trace_id,
        span_id=bytes.fromhex(span.span_id) if span.span_id else _digest(trace_id, f"span {index}"),
        parent_span_id=bytes.fromhex(span.parent_span_id) if span.parent_span_id else root_id,
        name=span.name or f"{_operation(span)} {subject}".strip() or "span",
        kind=_KINDS[span.kind],
        start_time_unix_nano=_nanoseconds(start),
        end_time_unix_nano=_nanoseconds(end),
        attributes=_attributes({**span.attributes, **_of_span(span)}),
        events=[_event(event, start) for event in span.events],
        status=Status(code=_CODES[span.status], message=span.status_message),
    )


def _event(event: SubmittedEvent, start: datetime) -> Span.Event:
    return Span.Event(
        time_unix_nano=_nanoseconds(event.time or start), name=event.name, attributes=_attributes(event.attributes)
    )


def _of_trace(trace: SubmittedTrace) -> dict[str, Any]:
    return {
        **({"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": trace.agent} if trace.agent else {}),
        **_content("input", trace.input),
        **_content("output", trace.output),
        "session.id": trace.session_id,
        "user.id": trace.user_id,
        "tag.tags": trace.tags,
        "metadata": json.dumps(trace.metadata).decode() if trace.metadata else "",
    }


def _of_span(span: SubmittedSpan) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": _operation(span),
        "gen_ai.provider.name": span.provider,
        "gen_ai.request.model": span.model,
        "gen_ai.agent.name": span.agent,
        "gen_ai.tool.name": span.tool,
        "gen_ai.usage.input_tokens": span.input_tokens,
        "gen_ai.usage.output_tokens": span.output_tokens,
        "gen_ai.usage.cost": span.cost_usd,
        **_content("input", span.input),
        **_content("output", span.output),
    }


def _operation(span: SubmittedSpan) -> str:
    return span.operation or ("chat" if span.model else "execute_tool" if span.tool else "")


def _content(name: str, value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, str):
        return {f"{name}.value": value, f"{name}.mime_type": "text/plain"}
    return {f"{name}.value": json.dumps(value).decode(), f"{name}.mime_type": "application/json"}


def _attributes(values: Mapping[str, Any]) -> Iterator[KeyValue]:
    """Attributes with something in them."""
    return (_attribute(key, value) for key, value in values.items() if value not in (None, "", []))


def _attribute(key: str, value: Any) -> KeyValue:
    return KeyValue(key=key, value=_value(value, DEPTH_MAX))


def _value(value: Any, depth: int) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case str():
            return AnyValue(string_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case dict() | list() if depth == 0:
            return AnyValue(string_value=json.dumps(value).decode())
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=_members(value, depth)))  # pyright: ignore[reportUnknownArgumentType]
        case list():
            return AnyValue(array_value=ArrayValue(values=_items(value, depth)))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return AnyValue()


def _members(value: Mapping[str, Any], depth: int) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(item, depth - 1)) for key, item in value.items()]


def _items(value: Sequence[Any], depth: int) -> list[AnyValue]:
    return [_value(item, depth - 1) for item in value]


def _digest(trace_id: bytes, what: str) -> bytes:
    return hashlib.sha256(trace_id + what.encode()).digest()[:8]


def _nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970, as far as 64 bits go: from there on a span is refused for its age."""
    since = int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1_000
    return min(max(0, since), _LAST_NS)
