"""Reading traces: which there are (summary rows), what they add up to (their spans)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import TraceFilter, TraceStatus, TraceSummary, Usage
from specloop.record.traces.repository.spans import LAST_VERSION

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Usage on an agent's span repeats that of the model calls below it, so those count where a trace has any
# (spectral.md §6.2: usage must not be summed twice).
_MODEL_CALL = "operation NOT IN ('invoke_agent', 'create_agent', 'invoke_workflow', 'execute_tool', '')"

_GROUPS = """
SELECT lower(hex(t.trace_id)) AS trace, min(t.start_ns) AS first_ns, max(t.end_ns) AS last_ns,
    argMinMerge(t.root) AS root_span, max(t.has_error) AS failed,
    groupUniqArrayArray(t.service_names) AS services, groupUniqArrayArray(t.agent_ids) AS agents,
    groupUniqArrayArray(t.agent_names) AS agent_labels, groupUniqArrayArray(t.models) AS model_names,
    groupUniqArrayArray(t.session_ids) AS sessions, groupUniqArrayArray(t.user_ids) AS users,
    groupUniqArrayArray(t.tags) AS labels
FROM traces AS t WHERE t.workspace_id = {workspace_id:UUID}
"""
_SUMS = f"""
SELECT lower(hex(trace_id)) AS trace, count() AS span_count, countIf(status_code = 2) AS error_count,
    countIf({_MODEL_CALL} AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)) > 0 AS has_calls,
    if(has_calls, sumOrNullIf(input_tokens, {_MODEL_CALL}), sumOrNull(input_tokens)) AS input_sum,
    if(has_calls, sumOrNullIf(output_tokens, {_MODEL_CALL}), sumOrNull(output_tokens)) AS output_sum,
    if(has_calls, sumOrNullIf(cost_usd, {_MODEL_CALL}), sumOrNull(cost_usd)) AS cost_sum
FROM (
    SELECT trace_id, span_id, status_code, operation, input_tokens, output_tokens, cost_usd FROM spans
    WHERE workspace_id = {{workspace_id:UUID}} AND start_ns BETWEEN {{first_ns:UInt64}} AND {{last_ns:UInt64}}
        AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16))
    {LAST_VERSION}
) GROUP BY trace_id
"""  # noqa: S608

_CONDITIONS = {
    "start": "first_ns >= {start_ns:UInt64}",
    "end": "first_ns < {end_ns:UInt64}",
    "status": "failed = {failed:UInt8}",
    "agent_id": "has(agents, {agent_id:String})",
    "tag": "has(labels, {tag:String})",
    "session_id": "has(sessions, {session_id:String})",
    "latency_ms_min": "last_ns - first_ns >= {latency_ns_min:UInt64}",
}
_TEXT = """
    AND t.trace_id IN (SELECT trace_id FROM spans WHERE workspace_id = {workspace_id:UUID} AND (
        positionCaseInsensitiveUTF8(name, {text:String}) > 0
        OR positionCaseInsensitiveUTF8(status_message, {text:String}) > 0
        OR arrayExists(value -> positionCaseInsensitiveUTF8(value, {text:String}) > 0, mapValues(attributes))))
"""


async def find_traces(
    store: TelemetryStore,
    workspace_id: str,
    chosen: TraceFilter,
    *,
    limit: int,
    offset: int = 0,
    before: tuple[int, str] | None = None,
) -> Sequence[TraceSummary]:
    """The newest traces that `chosen` lets through, older than the trace with start (ns) and id `before`."""
    groups, parameters = _matching(chosen)
    if before is not None:
        groups += " AND (first_ns, trace) < ({before_ns:UInt64}, {before_trace:String})"
        parameters |= {"before_ns": before[0], "before_trace": before[1]}
    sql = groups + " ORDER BY first_ns DESC, trace DESC LIMIT {limit:UInt32} OFFSET {offset:UInt64}"
    rows = await store.query(
        sql, workspace_id=workspace_id, parameters={**parameters, "limit": limit, "offset": offset}
    )
    return await _with_sums(store, workspace_id, rows)


async def count_traces(store: TelemetryStore, workspace_id: str, chosen: TraceFilter) -> int:
    """How many traces `chosen` lets through."""
    groups, parameters = _matching(chosen)
    rows = await store.query(
        f"SELECT count() AS count FROM ({groups})",  # noqa: S608  (fixed text; values are parameters)
        workspace_id=workspace_id,
        parameters=parameters,
    )
    return int(rows[0]["count"])


async def get_trace(store: TelemetryStore, workspace_id: str, trace_id: str) -> TraceSummary | None:
    """The trace with this id (32 hex digits), or None when the workspace has no such trace."""
    sql = _GROUPS + " AND t.trace_id = unhex({trace_id:String}) GROUP BY t.trace_id"
    rows = await store.query(sql, workspace_id=workspace_id, parameters={"trace_id": trace_id})
    found = await _with_sums(store, workspace_id, rows)
    return found[0] if found else None


def _matching(chosen: TraceFilter) -> tuple[str, dict[str, Any]]:
    parameters: dict[str, Any] = {}
    conditions = ["1"]
    for name, condition in _CONDITIONS.items():
        value = getattr(chosen, name)
        if value is not None:
            conditions.append(condition)
            parameters |= _parameter(name, value)
    prefilter = ""
    if chosen.text:
        prefilter = _TEXT
        parameters["text"] = chosen.text
    return _GROUPS + prefilter + " GROUP BY t.trace_id HAVING " + " AND ".join(conditions), parameters


def _parameter(name: str, value: Any) -> dict[str, Any]:
    match name:
        case "start" | "end":
            return {f"{name}_ns": nanoseconds(value)}
        case "status":
            return {"failed": int(value is TraceStatus.ERROR)}
        case "latency_ms_min":
            return {"latency_ns_min": round(value * 1_000_000)}
        case _:
            return {name: value}


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970, within what 63 bits can hold (1970 to 2262)."""
    return min(max(0, (moment - _EPOCH) // timedelta(microseconds=1)) * 1_000, (1 << 63) - 1)


async def _with_sums(
    store: TelemetryStore, workspace_id: str, rows: Sequence[dict[str, Any]]
) -> Sequence[TraceSummary]:
    if not rows:
        return []
    parameters: dict[str, Any] = {
        "traces": [row["trace"] for row in rows],
        "first_ns": min(row["first_ns"] for row in rows),
        "last_ns": max(row["last_ns"] for row in rows),
    }
    sums = await store.query(_SUMS, workspace_id=workspace_id, parameters=parameters)
    by_trace = {row["trace"]: row for row in sums}
    return [_summary(row, by_trace[row["trace"]]) for row in rows if row["trace"] in by_trace]


def _summary(row: dict[str, Any], sums: dict[str, Any]) -> TraceSummary:
    name, root_span_id = row["root_span"]
    return TraceSummary(
        trace_id=row["trace"],
        name=name,
        root_span_id=bytes(root_span_id).hex(),
        status=TraceStatus.ERROR if row["failed"] else TraceStatus.OK,
        start_ns=row["first_ns"],
        end_ns=row["last_ns"],
        span_count=sums["span_count"],
        error_count=sums["error_count"],
        usage=Usage(sums["input_sum"], sums["output_sum"], sums["cost_sum"]),
        service_names=sorted(row["services"]),
        agent_ids=sorted(row["agents"]),
        agent_names=sorted(row["agent_labels"]),
        models=sorted(row["model_names"]),
        session_ids=sorted(row["sessions"]),
        user_ids=sorted(row["users"]),
        tags=sorted(row["labels"]),
    )
