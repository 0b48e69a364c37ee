"""Reading spans from the telemetry store. Every statement starts from the caller's workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import Event, GenAI, Link, Scope, Span, TraceSummary, Usage
from specloop.record.traces.repository.choosing import Placed
from specloop.record.traces.repository.summing import Row, last_versions, summary_of
from specloop.record.traces.repository.usage import LAST_VERSION
from specloop.record.traces.repository.values import read_attributes

WITHIN_TRACE = """
    workspace_id = {workspace_id:UUID} AND trace_id = unhex({trace_id:String})
    AND start_ns BETWEEN {first_ns:UInt64} AND {last_ns:UInt64}
"""
SCORE_MIN = "if(empty(scores), NULL, arrayMin(scores)) AS score_min"
_COLUMNS = f"""
    trace_id, span_id, parent_span_id, name, kind, service_name, start_ns, end_ns, status_code, status_message,
    trace_state, flags, scope_name, scope_version,
    scope_attributes.keys AS scope_keys, scope_attributes.values AS scope_texts, scope_attribute_types,
    attributes.keys AS keys, attributes.values AS texts, attribute_types,
    resource_attributes.keys AS resource_keys, resource_attributes.values AS resource_texts,
    resource_attribute_types,
    arrayMap(e -> (e.time_ns, e.name, mapKeys(e.attributes), mapValues(e.attributes), e.attribute_types,
        e.dropped_attributes), events) AS event_rows,
    arrayMap(l -> (lower(hex(l.trace_id)), lower(hex(l.span_id)), l.trace_state, mapKeys(l.attributes),
        mapValues(l.attributes), l.attribute_types, l.dropped_attributes), links) AS link_rows,
    dropped_attributes, dropped_events, dropped_links, operation, provider, model, agent_id, agent_name, session_id,
    user_id, tool_name, error_type, request_model, response_model, tool_call_id, input_tokens, output_tokens, cost_usd,
    cache_read_tokens, cache_write_tokens, reasoning_tokens, tags, {SCORE_MIN}
"""
USAGE = ("input_tokens", "output_tokens", "cost_usd", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
ONE_SPAN = f"""
SELECT {_COLUMNS} FROM spans PREWHERE {WITHIN_TRACE} AND span_id = unhex({{span_id:String}})
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


_FROM_START = {"after_ns": 0, "after_span": "", "offset": 0}


class TraceRows:
    """Reads spans of a trace. Planning is most of what a few rows of many columns cost, so the store is told what to
    filter by first, and is spared choosing versions and putting spans in order where all of them are few."""

    def __init__(self, columns: str) -> None:
        """Read these `columns`, besides what versions are told apart by."""
        self._some = f"SELECT {columns}, received_at FROM spans PREWHERE {WITHIN_TRACE} LIMIT {{limit:UInt32}}"  # noqa: S608
        # Which spans, by their ids: the rest of them is read for those only.
        self._page = f"""
        SELECT {columns}, received_at FROM spans PREWHERE {WITHIN_TRACE} AND span_id IN (
            SELECT span_id FROM (
                SELECT trace_id, span_id, start_ns, end_ns FROM spans PREWHERE {WITHIN_TRACE} {LAST_VERSION})
            WHERE (start_ns, span_id) > ({{after_ns:UInt64}}, toFixedString(unhex({{after_span:String}}), 8))
            ORDER BY start_ns, span_id LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}})
        """  # noqa: S608

    async def read(
        self, store: TelemetryStore, workspace_id: str, trace: Placed, most: int
    ) -> tuple[list[Row], TraceSummary | None]:
        """The rows by start time, at most `most` of them; and if these are all, what they add up to."""
        parameters = {**bounds(trace), "limit": most + 1}
        rows = await store.query(self._some, workspace_id=workspace_id, parameters=parameters)
        if len(rows) > most:
            return await self.page(store, workspace_id, trace, {**_FROM_START, "limit": most}), None
        spans = _in_order(rows)
        return spans, summary_of(spans) if spans else None

    async def page(
        self, store: TelemetryStore, workspace_id: str, trace: Placed, position: Mapping[str, Any]
    ) -> list[Row]:
        """The rows by start time; `position` has `limit`, `offset`, and `after_ns` and `after_span` of the last one."""
        parameters = {**bounds(trace), **position}
        return _in_order(await store.query(self._page, workspace_id=workspace_id, parameters=parameters))


_ROWS = TraceRows(_COLUMNS)


async def whole_trace(
    store: TelemetryStore, workspace_id: str, trace: Placed, most: int
) -> tuple[list[Span], TraceSummary | None]:
    """The trace's spans by start time with everything that was sent, at most `most`; its summary if these are all."""
    rows, summary = await _ROWS.read(store, workspace_id, trace, most)
    return [span_of(row) for row in rows], summary


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
    position = {"after_ns": after[0], "after_span": after[1], "limit": limit, "offset": offset}
    rows = await _ROWS.page(store, workspace_id, trace, position)
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


def _in_order(rows: Sequence[Row]) -> list[Row]:
    return sorted(last_versions(rows), key=lambda row: (row["start_ns"], row["span_id"]))


def ids_of(row: Row) -> dict[str, Any]:
    """The ids of a row as a span has them."""
    parent: bytes = row["parent_span_id"]
    return {
        "trace_id": row["trace_id"].hex(),
        "span_id": row["span_id"].hex(),
        "parent_span_id": parent.hex() if any(parent) else None,
    }


def span_of(row: Row) -> Span:
    """A row of all columns as a span."""
    return Span(
        **ids_of(row),
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
        usage=Usage(**{name: row[name] for name in USAGE}),
        tags=row["tags"],
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
