"""The insert that lets ClickHouse parse OTLP by itself: a trimmed protobuf schema, its columns, one statement.

Python never builds a row. Each inbox body travels as one length-delimited `Envelope` whose outer fields say whose it
is, so nothing inside a body can claim another workspace. AnyValue's recursive members are declared as bytes, since the
format knows no recursive messages; readers decode them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from specloop.db.telemetry import BodyFormat, TelemetryStore

ATTRIBUTES_MAX = 1_024
EVENTS_MAX = 1_024
LINKS_MAX = 1_024
VALUE_BYTES_MAX = 1 << 20
"""Caps per span, the first also per event and link; what lies beyond is counted in `dropped_*` (spectral.md §6.1)."""

_SCHEMA = """
syntax = "proto3";
message AnyValue {
  oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4;
    bytes array_value = 5; bytes kvlist_value = 6; bytes bytes_value = 7;
  }
}
message KeyValue { string key = 1; AnyValue value = 2; }
message Resource { repeated KeyValue attributes = 1; }
message Scope { string name = 1; string version = 2; repeated KeyValue attributes = 3; }
message Event {
  fixed64 time_unix_nano = 1; string name = 2; repeated KeyValue attributes = 3; uint32 dropped_attributes_count = 4;
}
message Link {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; repeated KeyValue attributes = 4;
  uint32 dropped_attributes_count = 5;
}
message Status { string message = 2; int32 code = 3; }
message Span {
  bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
  int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9;
  uint32 dropped_attributes_count = 10; repeated Event events = 11; uint32 dropped_events_count = 12;
  repeated Link links = 13; uint32 dropped_links_count = 14; Status status = 15; fixed32 flags = 16;
}
message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
message Request { repeated ResourceSpans resource_spans = 1; }
message Envelope { bytes workspace_id = 1; int64 received_us = 2; Request request = 3; }
"""

_ATTRIBUTES = (
    "Array(Tuple(key String, value Tuple("
    "value Enum8('none'=0,'string'=1,'bool'=2,'int'=3,'double'=4,'array'=5,'kvlist'=6,'bytes'=7),"
    " string_value String, bool_value Bool, int_value Int64, double_value Float64,"
    " array_value String, kvlist_value String, bytes_value String)))"
)
_STRUCTURE = f"""
workspace_id String, received_us Int64, request Tuple(resource_spans Array(Tuple(
  resource Tuple(attributes {_ATTRIBUTES}),
  scope_spans Array(Tuple(
    scope Tuple(name String, version String, attributes {_ATTRIBUTES}),
    spans Array(Tuple(
      trace_id String, span_id String, trace_state String, parent_span_id String, name String, kind Int32,
      start_time_unix_nano UInt64, end_time_unix_nano UInt64, attributes {_ATTRIBUTES},
      dropped_attributes_count UInt32,
      events Array(Tuple(time_unix_nano UInt64, name String, attributes {_ATTRIBUTES},
        dropped_attributes_count UInt32)),
      dropped_events_count UInt32,
      links Array(Tuple(trace_id String, span_id String, trace_state String, attributes {_ATTRIBUTES},
        dropped_attributes_count UInt32)),
      dropped_links_count UInt32, status Tuple(message String, code Int32), flags UInt32)))))))
"""

_FORM = BodyFormat("Protobuf", _STRUCTURE, _SCHEMA, "Envelope")
_SETTINGS: dict[str, Any] = {
    "input_format_protobuf_oneof_presence": 1,
    "materialize_skip_indexes_on_insert": 0,
    "max_memory_usage": 2 << 30,
}

# Nearly all values are short texts: asked for first and alone, they cost a third less.
_TEXT = f"""if(
    a.value.value = 'string' AND length(a.value.string_value) <= {VALUE_BYTES_MAX}, a.value.string_value, multiIf(
    a.value.value = 'string', toValidUTF8(substring(a.value.string_value, 1, {VALUE_BYTES_MAX})),
    a.value.value = 'int', toString(a.value.int_value),
    a.value.value = 'double', toString(a.value.double_value),
    a.value.value = 'bool', if(a.value.bool_value, 'true', 'false'),
    base64Encode(concat(a.value.array_value, a.value.kvlist_value, a.value.bytes_value))))"""


def _values(source: str) -> str:
    kept = f"arraySlice({source}, 1, {ATTRIBUTES_MAX})"
    return f"CAST(arrayMap(a -> (a.key, {_TEXT}), {kept}), 'Map(LowCardinality(String), String)')"


def _types(source: str) -> str:
    return f"arraySlice({source}.value.value, 1, {ATTRIBUTES_MAX})"


def _dropped(told: str, items: str, most: int) -> str:
    return f"{told} + toUInt32(greatest(length({items}), {most}) - {most})"


# Numbers and names in this text are this module's own constants; every value from outside arrives in the body.
_INSERT = f"""
INSERT INTO spans (workspace_id, trace_id, span_id, parent_span_id, trace_state, flags, name, kind, start_ns, end_ns,
    status_code, status_message, service_name, scope_name, scope_version, attributes, attribute_types,
    resource_attributes, resource_attribute_types, scope_attributes, scope_attribute_types, events, links,
    dropped_attributes, dropped_events, dropped_links, received_at)
SELECT workspace, toFixedString(span.trace_id, 16), toFixedString(span.span_id, 8),
    toFixedString(span.parent_span_id, 8), span.trace_state, span.flags, span.name, toInt8(span.kind),
    span.start_time_unix_nano, span.end_time_unix_nano, toInt8(span.status.code), span.status.message,
    resource['service.name'], scope_name, scope_version,
    {_values("span.attributes")}, {_types("span.attributes")}, resource, resource_types, scope, scope_types,
    arrayMap(e -> (e.time_unix_nano, e.name, {_values("e.attributes")}, {_types("e.attributes")},
        {_dropped("e.dropped_attributes_count", "e.attributes", ATTRIBUTES_MAX)}),
        arraySlice(span.events, 1, {EVENTS_MAX})),
    arrayMap(l -> (toFixedString(substring(l.trace_id, 1, 16), 16), toFixedString(substring(l.span_id, 1, 8), 8),
        l.trace_state, {_values("l.attributes")}, {_types("l.attributes")},
        {_dropped("l.dropped_attributes_count", "l.attributes", ATTRIBUTES_MAX)}),
        arraySlice(span.links, 1, {LINKS_MAX})),
    {_dropped("span.dropped_attributes_count", "span.attributes", ATTRIBUTES_MAX)},
    {_dropped("span.dropped_events_count", "span.events", EVENTS_MAX)},
    {_dropped("span.dropped_links_count", "span.links", LINKS_MAX)},
    fromUnixTimestamp64Micro(received_us, 'UTC')
FROM (
    SELECT workspace, received_us, resource, resource_types, scope_spans.scope.name AS scope_name,
        scope_spans.scope.version AS scope_version, {_values("scope_spans.scope.attributes")} AS scope,
        {_types("scope_spans.scope.attributes")} AS scope_types, arrayJoin(scope_spans.spans) AS span
    FROM (
        SELECT workspace, received_us, {_values("resource_spans.resource.attributes")} AS resource,
            {_types("resource_spans.resource.attributes")} AS resource_types,
            arrayJoin(resource_spans.scope_spans) AS scope_spans
        FROM (
            SELECT toUUID(workspace_id) AS workspace, received_us, arrayJoin(request.resource_spans) AS resource_spans
            FROM {{{{source}}}}
        )
    )
)
WHERE (workspace, toFixedString(span.trace_id, 16)) NOT IN (SELECT workspace_id, trace_id FROM deleted_traces)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """One validated ExportTraceServiceRequest in protobuf, and whose it is."""

    workspace_id: str
    received_us: int
    body: bytes


async def insert_bodies(store: TelemetryStore, bodies: Sequence[ReceivedBody]) -> None:
    """Store every span of `bodies`; they are durable and readable on return.

    Raises: TelemetryUnavailable, TelemetryQueryFailed.
    """
    parts: list[bytes] = []
    for body in bodies:
        parts += (_envelope_head(body), body.body)
    await store.insert(_INSERT, parts, _FORM, _SETTINGS)


def _envelope_head(body: ReceivedBody) -> bytes:
    workspace = body.workspace_id.encode()
    fields = b"\x0a" + _varint(len(workspace)) + workspace + b"\x10" + _varint(body.received_us)
    fields += b"\x1a" + _varint(len(body.body))
    return _varint(len(fields) + len(body.body)) + fields


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
