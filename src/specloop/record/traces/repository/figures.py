"""What a workspace's spans add up to in a window of time. Spans that were delivered twice count once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from specloop.db.telemetry import SCAN, TelemetryStore
from specloop.record.traces.model import UsageGroup
from specloop.record.traces.repository.usage import CHOSEN_WINDOW, COUNTED, MODEL_CALL, TIER, TOKENS, group_of

GROUPS_MAX = 50
AGENTS_MAX = 500

_LEVELS = "0.5, 0.95, 0.99"
# One pass over the spans makes few rows; everything that is asked is added up from those.
_FACTS = f"""
SELECT multiIf(grouping(tier) = 0, 'usage', grouping(called) = 0, 'model', grouping(agent) = 0, 'agent',
        grouping(service) = 0, 'service', 'all') AS kind,
    called, agent, service, call, provider, model, tier, max(last_ns) AS last_ns, sum(facts.calls) AS calls,
    sum(errors) AS errors, quantilesTDigestMerge({_LEVELS})(latency) AS latency_ms,
    {", ".join(f"sumOrNull({name}_all) AS {name}_sum" for name in TOKENS)},
    {", ".join(f"sumOrNullIf({name}_all, is_untold) AS {name}_untold" for name in TOKENS)},
    sumIf(facts.calls, is_untold) AS untold_calls, sumOrNull(cost) AS told
FROM (
    SELECT if(call = 1, toString(model), '') AS called, toString(agent_name) AS agent,
        toString(service_name) AS service, {COUNTED} AS is_counted, countIf(status_code = 2) AS errors,
        quantilesTDigestState({_LEVELS})((end_ns - start_ns) / 1e6) AS latency, {MODEL_CALL} AS call, provider, model,
        {TIER} AS tier, cost_usd IS NULL AS is_untold, max(start_ns) AS last_ns, count() AS calls,
        {", ".join(f"sumOrNull({name}) AS {name}_all" for name in TOKENS)}, sumOrNull(cost_usd) AS cost
    FROM spans FINAL
    WHERE {CHOSEN_WINDOW}
    GROUP BY agent_name, service_name, is_counted, call, provider, model, tier, is_untold
) AS facts
GROUP BY GROUPING SETS (
    (), (called), (agent), (service), (agent, service, is_counted, call, provider, model, tier))
HAVING kind != 'usage' OR is_counted = 1
ORDER BY calls DESC, called, agent, service
LIMIT {{limit:UInt32}} BY kind, if(kind = 'usage', cityHash64(agent, service, call, provider, model, tier), 0)
SETTINGS do_not_merge_across_partitions_select_final = 1, {SCAN}
"""  # noqa: S608
_TRACES = f"SELECT uniqExact(trace_id) AS traces FROM spans WHERE {CHOSEN_WINDOW} SETTINGS {SCAN}"  # noqa: S608
_NAMES = {"model": "called", "agent": "agent", "service": "service"}


@dataclass(slots=True)
class Facts:
    """What the spans of a window add up to: `total` and the rows of `groups` (kind, name, row) have calls, errors and
    latency_ms [p50, p95, p99]; `usage` is that of the model calls, each group with its agent and service."""

    total: dict[str, Any] = field(default_factory=dict[str, Any])
    groups: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list[tuple[str, str, dict[str, Any]]])
    usage: list[tuple[str, str, UsageGroup]] = field(default_factory=list[tuple[str, str, UsageGroup]])


async def facts(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> Facts:
    """The figures of the spans that started in the window, the largest groups of each kind first."""
    parameters = {"start_ns": start_ns, "end_ns": end_ns, "limit": GROUPS_MAX}
    found = Facts()
    for row in await store.query(_FACTS, workspace_id=workspace_id, parameters=parameters):
        kind = row["kind"]
        if kind == "usage":
            found.usage.append((row["agent"], row["service"], group_of({**row, "key": row["model"]})))
        elif kind == "all":
            found.total = row
        else:
            found.groups.append((kind, row[_NAMES[kind]], row))
    return found


async def traces_in(store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int) -> int:
    """How many traces have a span that started in the window."""
    parameters = {"start_ns": start_ns, "end_ns": end_ns}
    rows = await store.query(_TRACES, workspace_id=workspace_id, parameters=parameters)
    return int(rows[0]["traces"])


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
