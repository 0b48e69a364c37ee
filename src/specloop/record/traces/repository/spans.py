"""Reading spans from the telemetry store. Every statement starts from the caller's workspace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import Event, GenAI, Link, Scope, Span, Usage
from specloop.record.traces.repository.traces import Placed
from specloop.record.traces.repository.usage import LAST_VERSION
from specloop.record.traces.repository.values import read_attributes

WITHIN_TRACE = """
    workspace_id = {workspace_id:UUID} AND trace_id = unhex({trace_id:String})
    AND start_ns BETWEEN {first_ns:UInt64} AND {last_ns:UInt64}
"""
SCORE_MIN = "if(empty(scores), NULL, arrayMin(scores)) AS score_min"
_COLUMNS = f"""
    lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, lower(hex(parent_span_id)) AS parent, name, kind,
    service_name, start_ns, end_ns, status_code, status_message, trace_state, flags, scope_name, scope_version,
    mapKeys(scope_attributes) AS scope_keys, mapValues(scope_attributes) AS scope_texts, scope_attribute_types,
    mapKeys(attributes) AS keys, mapValues(attributes) AS texts, attribute_types,
    mapKeys(resource_attributes) AS resource_keys, mapValues(resource_attributes) AS resource_texts,
    resource_attribute_types,
    arrayMap(e -> (e.time_ns, e.name, mapKeys(e.attributes), mapValues(e.attributes), e.attribute_types,
        e.dropped_attributes), events) AS event_rows,
    arrayMap(l -> (lower(hex(l.trace_id)), lower(hex(l.span_id)), l.trace_state, mapKeys(l.attributes),
        mapValues(l.attributes), l.attribute_types, l.dropped_attributes), links) AS link_rows,
    dropped_attributes, dropped_events, dropped_links, operation, provider, model, agent_id, agent_name, session_id,
    user_id, tool_name, error_type, request_model, response_model, tool_call_id, input_tokens, output_tokens, cost_usd,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, tags, {SCORE_MIN}
"""
_USAGE = ("input_tokens", "output_tokens", "cost_usd", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_ALL = f"""
SELECT {_COLUMNS} FROM spans WHERE {WITHIN_TRACE}
{LAST_VERSION}
"""  # noqa: S608
_PAGE = f"""
SELECT * FROM ({_ALL})
WHERE (start_ns, span) > ({{after_ns:UInt64}}, {{after_span:String}})
ORDER BY start_ns, span LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
"""  # noqa: S608
ONE_SPAN = f"""
SELECT {_COLUMNS} FROM spans WHERE {WITHIN_TRACE} AND span_id = unhex({{span_id:String}})
{LAST_VERSION}
"""  # noqa: S608

_COLUMNS_WANTED = """
    trace_id, span_id, parent_span_id, name, kind, service_name, start_ns, end_ns, status_code, status_message,
    operation, provider, model, agent_id, agent_name, session_id, user_id, tool_name, tool_call_id, error_type,
    input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd, tags, attributes,
    resource_attributes, events
"""
_OF_TRACES = """
    workspace_id = {workspace_id:UUID}
    AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
"""
_FILE = f"""
SELECT lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, lower(hex(parent_span_id)) AS parent_span_id,
    name, kind, toString(service_name) AS service_name, fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC') AS started_at,
    (end_ns - start_ns) / 1e6 AS duration_ms, status_code, status_message, toString(operation) AS operation,
    toString(provider) AS provider, toString(model) AS model, toString(agent_id) AS agent_id,
    toString(agent_name) AS agent_name, session_id, user_id, toString(tool_name) AS tool_name, tool_call_id,
    toString(error_type) AS error_type, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, cost_usd, tags, CAST(attributes, 'Map(String, String)') AS attributes,
    CAST(resource_attributes, 'Map(String, String)') AS resource_attributes,
    toJSONString(arrayMap(e -> (e.time_ns, e.name, e.attributes), events)) AS events
FROM (SELECT {_COLUMNS_WANTED} FROM spans WHERE {_OF_TRACES} {LAST_VERSION})
ORDER BY trace_id, started_at, span_id
"""  # noqa: S608


async def page_spans(
    store: TelemetryStore,
    workspace_id: str,
    trace: Placed,
    *,
    limit: int,
    offset: int = 0,
    after: tuple[int, str] = (0, ""),
) -> Sequence[Span]:
    """The trace's spans by start time, beginning after the span with start (ns) and id `after`."""
    parameters: dict[str, Any] = {
        **bounds(trace),
        "after_ns": after[0],
        "after_span": after[1],
        "limit": limit,
        "offset": offset,
    }
    rows = await store.query(_PAGE, workspace_id=workspace_id, parameters=parameters)
    return [span_of(row) for row in rows]


def bounds(trace: Placed) -> dict[str, Any]:
    """The parameters of `WITHIN_TRACE`."""
    return {"trace_id": trace.trace_id, "first_ns": trace.first_ns, "last_ns": trace.last_ns}


async def as_parquet(store: TelemetryStore, workspace_id: str, traces: Sequence[str]) -> bytes:
    """All spans of `traces` as a Parquet file with one row per span; the engine writes it."""
    return await store.read_file(_FILE, "Parquet", workspace_id=workspace_id, parameters={"traces": list(traces)})


async def count_within(store: TelemetryStore, workspace_id: str, trace: Placed) -> int:
    """How many spans the trace has."""
    sql = f"SELECT uniqExact(span_id) AS count FROM spans WHERE {WITHIN_TRACE}"  # noqa: S608
    rows = await store.query(sql, workspace_id=workspace_id, parameters=bounds(trace))
    return int(rows[0]["count"])


async def count(store: TelemetryStore, workspace_id: str, traces: Sequence[str]) -> int:
    """How many spans `traces` have together."""
    sql = f"SELECT uniqExact(trace_id, span_id) AS count FROM spans WHERE {_OF_TRACES}"  # noqa: S608
    rows = await store.query(sql, workspace_id=workspace_id, parameters={"traces": list(traces)})
    return int(rows[0]["count"])


def span_of(row: dict[str, Any]) -> Span:
    """A row of all columns as a span."""
    return Span(
        trace_id=row["trace"],
        span_id=row["span"],
        parent_span_id=None if row["parent"] == "0" * 16 else row["parent"],
        name=row["name"],
        kind=row["kind"],
        service_name=row["service_name"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        status_code=row["status_code"],
        status_message=row["status_message"],
        trace_state=row["trace_state"],
        flags=row["flags"],
        scope=Scope(
            row["scope_name"],
            row["scope_version"],
            read_attributes(row["scope_keys"], row["scope_texts"], row["scope_attribute_types"]),
        ),
        attributes=read_attributes(row["keys"], row["texts"], row["attribute_types"]),
        resource_attributes=read_attributes(
            row["resource_keys"], row["resource_texts"], row["resource_attribute_types"]
        ),
        events=[_event(*event) for event in row["event_rows"]],
        links=[_link(*link) for link in row["link_rows"]],
        dropped=(row["dropped_attributes"], row["dropped_events"], row["dropped_links"]),
        genai=GenAI(**{name: row[name] for name in GenAI.__slots__}),
        usage=Usage(**{name: row[name] for name in _USAGE}),
        tags=row["tags"],
        score_min=row["score_min"],
    )


def _event(
    time_ns: int, name: str, keys: Sequence[str], texts: Sequence[str], types: Sequence[str], dropped: int
) -> Event:
    return Event(time_ns, name, read_attributes(keys, texts, types), dropped)


def _link(
    trace_id: str,
    span_id: str,
    trace_state: str,
    keys: Sequence[str],
    texts: Sequence[str],
    types: Sequence[str],
    dropped: int,
) -> Link:
    return Link(trace_id, span_id, trace_state, read_attributes(keys, texts, types), dropped)
