"""Spans back in OTLP's JSON encoding: hex ids, integers as strings, enums as numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from specloop.record.traces.model import Event, Link, Span


def otlp_line(spans: Sequence[Span]) -> dict[str, Any]:
    """One ExportTraceServiceRequest with `spans`, grouped by resource and scope as they follow each other.

    Attributes that came as bytes leave as the base64 text that readers see.
    """
    resources: list[dict[str, Any]] = []
    last: Span | None = None
    for span in spans:
        if last is None or span.resource_attributes != last.resource_attributes:
            resource = {"attributes": _attributes(span.resource_attributes)}
            resources.append({"resource": resource, "scopeSpans": []})
            last = None
        if last is None or span.scope != last.scope:
            scope = {"name": span.scope.name, "version": span.scope.version}
            scope["attributes"] = _attributes(span.scope.attributes)  # type: ignore[assignment]
            resources[-1]["scopeSpans"].append({"scope": scope, "spans": []})
        resources[-1]["scopeSpans"][-1]["spans"].append(_span(span))
        last = span
    return {"resourceSpans": resources}


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id or "",
        "traceState": span.trace_state,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns),
        "attributes": _attributes(span.attributes),
        "droppedAttributesCount": span.dropped[0],
        "events": [_event(event) for event in span.events],
        "droppedEventsCount": span.dropped[1],
        "links": [_link(link) for link in span.links],
        "droppedLinksCount": span.dropped[2],
        "status": {"code": span.status_code, "message": span.status_message},
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "timeUnixNano": str(event.time_ns),
        "name": event.name,
        "attributes": _attributes(event.attributes),
        "droppedAttributesCount": event.dropped_attributes,
    }


def _link(link: Link) -> dict[str, Any]:
    return {
        "traceId": link.trace_id,
        "spanId": link.span_id,
        "traceState": link.trace_state,
        "attributes": _attributes(link.attributes),
        "droppedAttributesCount": link.dropped_attributes,
    }


def _attributes(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case str():
            return {"stringValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value if math.isfinite(value) else _word(value)}
        case list():
            return {"arrayValue": {"values": [_value(item) for item in value]}}  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return {"kvlistValue": {"values": _attributes(value)}}  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return {}


def _word(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
