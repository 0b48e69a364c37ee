"""What spans add up to by day, by tool, by model and by agent in a window of time."""

from __future__ import annotations

from typing import Any, Literal

from specloop.db.telemetry import SCAN, TelemetryStore
from specloop.record.traces.repository.usage import MODEL_CALL

GROUPS_MAX = 50
_WINDOW = """
FROM spans FINAL
WHERE workspace_id = {workspace_id:UUID} AND start_ns >= {start_ns:UInt64} AND start_ns < {end_ns:UInt64}
"""
_SETTINGS = f"SETTINGS do_not_merge_across_partitions_select_final = 1, {SCAN}"
_DAYS = f"""
SELECT toString(toDate(fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC'))) AS day,
    uniqExactIf(trace_id, parent_span_id = toFixedString('', 8)) AS traces, count() AS spans,
    countIf(status_code = 2) AS errors
{_WINDOW} GROUP BY day ORDER BY day {_SETTINGS}
"""
_TOOLS = f"""
SELECT toString(tool_name) AS name, count() AS calls, countIf(status_code = 2) AS errors,
    quantilesTDigest(0.5, 0.95)((end_ns - start_ns) / 1e6) AS latency_ms
{_WINDOW} AND tool_name != '' GROUP BY name ORDER BY calls DESC, name LIMIT {{limit:UInt32}} {_SETTINGS}
"""

_MODELS = f"""
SELECT toString(model) AS name, count() AS calls, countIf(status_code = 2) AS errors,
    quantilesTDigest(0.5, 0.95)((end_ns - start_ns) / 1e6) AS latency_ms
{_WINDOW} AND model != '' AND {MODEL_CALL} GROUP BY name ORDER BY calls DESC, name LIMIT {{limit:UInt32}} {_SETTINGS}
"""
_AGENTS = f"""
SELECT toString(agent_name) AS name, uniqExact(trace_id) AS calls, uniqExactIf(trace_id, status_code = 2) AS errors,
    quantilesTDigestIf(0.5, 0.95)((end_ns - start_ns) / 1e6, operation = 'invoke_agent') AS latency_ms
{_WINDOW} AND agent_name != '' GROUP BY name ORDER BY calls DESC, name LIMIT {{limit:UInt32}} {_SETTINGS}
"""
_GROUPS = {"tool": _TOOLS, "model": _MODELS, "agent": _AGENTS}


async def days(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> list[dict[str, Any]]:
    """Rows of day (ISO date, UTC), traces that began on it, spans, errors; days without spans are left out."""
    return await store.query(_DAYS, workspace_id=workspace_id, parameters={"start_ns": start_ns, "end_ns": end_ns})


async def groups(
    store: TelemetryStore, workspace_id: str, kind: Literal["tool", "model", "agent"], start_ns: int, end_ns: int
) -> list[dict[str, Any]]:
    """Rows of name, calls, errors and latency_ms [p50, p95], the most used first.

    Calls of an agent are the traces it takes part in; its latency is that of its `invoke_agent` spans, NaN without any.
    """
    parameters = {"start_ns": start_ns, "end_ns": end_ns, "limit": GROUPS_MAX}
    return await store.query(_GROUPS[kind], workspace_id=workspace_id, parameters=parameters)
