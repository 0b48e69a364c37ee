"""What a workspace's spans add up to in a window of time. Spans that were delivered twice count once."""

from __future__ import annotations

from typing import Any

from specloop.db.telemetry import TelemetryStore

_WINDOW = """
FROM spans FINAL
WHERE workspace_id = {workspace_id:UUID} AND start_ns >= {start_ns:UInt64} AND start_ns < {end_ns:UInt64}
"""
_MODEL_CALL = "operation NOT IN ('invoke_agent', 'create_agent', 'invoke_workflow', 'execute_tool', '')"
_USAGE = f"""
    sumOrNullIf(input_tokens, {_MODEL_CALL}) AS input_sum, sumOrNullIf(output_tokens, {_MODEL_CALL}) AS output_sum,
    sumOrNullIf(cost_usd, {_MODEL_CALL}) AS cost_sum
"""
_TOTALS = f"""
SELECT uniqExact(trace_id) AS traces, count() AS spans, countIf(status_code = 2) AS errors,
    quantilesTDigest(0.5, 0.95, 0.99)((end_ns - start_ns) / 1e6) AS latency_ms, {_USAGE}
{_WINDOW}
"""
_BY = {
    "model": f"SELECT model AS name, count() AS spans, {_USAGE} {_WINDOW} AND model != '' AND {_MODEL_CALL}",
    "agent": f"SELECT agent_name AS name, count() AS spans, {_USAGE} {_WINDOW} AND agent_name != ''",
    "service": f"SELECT service_name AS name, count() AS spans, {_USAGE} {_WINDOW}",
}
GROUPS_MAX = 50


async def totals(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> dict[str, Any]:
    """One row: traces, spans, errors, latency_ms [p50, p95, p99], input_sum, output_sum, cost_sum."""
    rows = await store.query(_TOTALS, workspace_id=workspace_id, parameters={"start_ns": start_ns, "end_ns": end_ns})
    return rows[0]


async def by_group(
    store: TelemetryStore, workspace_id: str, group: str, start_ns: int, end_ns: int
) -> list[dict[str, Any]]:
    """Rows of name, spans, input_sum, output_sum, cost_sum by `group` (model, agent or service), largest first."""
    sql = _BY[group] + " GROUP BY name ORDER BY spans DESC, name LIMIT {limit:UInt32}"
    parameters = {"start_ns": start_ns, "end_ns": end_ns, "limit": GROUPS_MAX}
    return await store.query(sql, workspace_id=workspace_id, parameters=parameters)


async def received_by_service(store: TelemetryStore, workspace_id: str, since_us: int) -> dict[str, int]:
    """Distinct spans received since `since_us` (µs since 1970) by service name."""
    sql = """
    SELECT service_name AS name, uniqExact(trace_id, span_id) AS spans FROM spans
    WHERE workspace_id = {workspace_id:UUID} AND received_at >= fromUnixTimestamp64Micro({since_us:Int64}, 'UTC')
    GROUP BY name ORDER BY spans DESC, name LIMIT {limit:UInt32}
    """
    rows = await store.query(sql, workspace_id=workspace_id, parameters={"since_us": since_us, "limit": GROUPS_MAX})
    return {row["name"]: row["spans"] for row in rows}
