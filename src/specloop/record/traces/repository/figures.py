"""What a workspace's spans add up to in a window of time. Spans that were delivered twice count once."""

from __future__ import annotations

from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.repository.usage import MODEL_CALL

_WINDOW = """
FROM spans FINAL
WHERE workspace_id = {workspace_id:UUID} AND start_ns >= {start_ns:UInt64} AND start_ns < {end_ns:UInt64}
"""
_FIGURES = """
    count() AS spans, countIf(status_code = 2) AS errors,
    quantilesTDigest(0.5, 0.95, 0.99)((end_ns - start_ns) / 1e6) AS latency_ms
"""
_SETTINGS = "SETTINGS do_not_merge_across_partitions_select_final = 1"
_TOTALS = f"SELECT uniqExact(trace_id) AS traces, {_FIGURES} {_WINDOW} {_SETTINGS}"
_GROUPS = f"""
SELECT multiIf(grouping(called) = 0, 'model', grouping(agent) = 0, 'agent', 'service') AS kind,
    multiIf(grouping(called) = 0, called, grouping(agent) = 0, agent, service) AS name, {_FIGURES}
FROM (
    SELECT if({MODEL_CALL}, toString(model), '') AS called, toString(agent_name) AS agent,
        toString(service_name) AS service, status_code, start_ns, end_ns
    {_WINDOW}
)
GROUP BY GROUPING SETS ((called), (agent), (service))
ORDER BY spans DESC, name LIMIT {{limit:UInt32}} BY kind
{_SETTINGS}
"""  # noqa: S608
GROUPS_MAX = 50
AGENTS_MAX = 500


async def totals(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> dict[str, Any]:
    """One row: traces, spans, errors, latency_ms [p50, p95, p99]."""
    rows = await store.query(_TOTALS, workspace_id=workspace_id, parameters={"start_ns": start_ns, "end_ns": end_ns})
    return rows[0]


async def by_group(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
    """Rows of kind (model, agent or service), name, spans, errors and latency_ms, the largest first in each kind."""
    parameters = {"start_ns": start_ns, "end_ns": end_ns, "limit": GROUPS_MAX}
    return await store.query(_GROUPS, workspace_id=workspace_id, parameters=parameters)


async def stored_since(store: TelemetryStore, workspace_id: str, since_us: int) -> tuple[int, dict[str, int]]:
    """Distinct spans received since `since_us` (µs since 1970): all of them, and by service name."""
    sql = """
    SELECT service_name AS name, uniqExact(trace_id, span_id) AS spans FROM spans
    WHERE workspace_id = {workspace_id:UUID} AND received_at >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
    GROUP BY name ORDER BY spans DESC, name
    """
    rows = await store.query(sql, workspace_id=workspace_id, parameters={"since_us": since_us})
    return sum(row["spans"] for row in rows), {row["name"]: row["spans"] for row in rows[:GROUPS_MAX]}


async def agents_seen(store: TelemetryStore, workspace_id: str, since_us: int) -> list[tuple[str, str]]:
    """Distinct (id, name) of agents that spans received since `since_us` name; either may be empty."""
    sql = """
    SELECT DISTINCT agent_id, agent_name FROM spans
    WHERE workspace_id = {workspace_id:UUID} AND received_at >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
        AND (agent_id != '' OR agent_name != '')
    ORDER BY agent_name, agent_id LIMIT {limit:UInt32}
    """
    parameters = {"since_us": since_us, "limit": AGENTS_MAX}
    rows = await store.query(sql, workspace_id=workspace_id, parameters=parameters)
    return [(row["agent_id"], row["agent_name"]) for row in rows]
