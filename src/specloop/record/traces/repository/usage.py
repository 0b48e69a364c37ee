"""What spans used, added up by model and price tier so that it can be priced, each token once.

A span that repeats the usage of what it called does not count: agents and workflows give way to the model calls of
their trace, and a call gives way to the call directly below it (spectral.md §6.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from specloop.db.telemetry import SCAN, TelemetryStore
from specloop.record.prices import TIER_STARTS
from specloop.record.traces.model import Usage, UsageGroup
from specloop.record.traces.repository.choosing import Placed
from specloop.record.traces.repository.summing import TOKENS

MODEL_CALL = "operation NOT IN ('invoke_agent', 'create_agent', 'invoke_workflow', 'execute_tool', '')"
LAST_VERSION = "ORDER BY end_ns DESC, received_at DESC LIMIT 1 BY trace_id, span_id"

TIER = f"roundDown(ifNull(input_tokens, 0), {[0, *(start + 1 for start in TIER_STARTS)]})"
_SUMS = f"""
    toUInt8({MODEL_CALL}) AS call, provider, model, {TIER} AS tier, max(start_ns) AS last_ns, count() AS calls,
    {", ".join(f"sumOrNull({name}) AS {name}_sum" for name in TOKENS)},
    {", ".join(f"sumOrNullIf({name}, cost_usd IS NULL) AS {name}_untold" for name in TOKENS)},
    countIf(cost_usd IS NULL) AS untold_calls, sumOrNull(cost_usd) AS told
"""
_USED = "(input_tokens IS NOT NULL OR output_tokens IS NOT NULL OR cost_usd IS NOT NULL)"
_COLUMNS = f"""
    trace_id, span_id, parent_span_id, status_code, operation, provider, model, start_ns, cost_usd,
    {", ".join(TOKENS)}
"""
CHOSEN_TRACES = """
    workspace_id = {workspace_id:UUID} AND start_ns BETWEEN {first_ns:UInt64} AND {last_ns:UInt64}
    AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({traces:Array(String)})), 16))
"""
_BY_TRACE = f"""
WITH kept AS (SELECT {_COLUMNS} FROM spans WHERE {CHOSEN_TRACES} {LAST_VERSION})
SELECT lower(hex(trace_id)) AS key, count() AS spans, countIf(status_code = 2) AS errors,
    {_USED} AND (trace_id, span_id) NOT IN (
        SELECT trace_id, parent_span_id FROM spans WHERE {CHOSEN_TRACES} AND {_USED}) AS is_counted,
    {_SUMS} FROM kept
GROUP BY key, is_counted, call, provider, model, tier
"""  # noqa: S608

CHOSEN_WINDOW = """
    workspace_id = {workspace_id:UUID} AND start_ns >= {start_ns:UInt64} AND start_ns < {end_ns:UInt64}
"""
# Hashes of the pair, since a set of hashes is built and asked in half the time of a set of pairs.
COUNTED = f"""
({_USED} AND {MODEL_CALL} AND cityHash64(trace_id, span_id) NOT IN (
    SELECT cityHash64(trace_id, parent_span_id) FROM spans WHERE {CHOSEN_WINDOW} AND {_USED} AND {MODEL_CALL}))
"""  # noqa: S608
# Most senders name the agent on its own span only: a call without a name belongs to the agent that began its trace.
_BY_DAY = f"""
SELECT toString(toDate(fromUnixTimestamp64Nano(toInt64(start_ns), 'UTC'))) AS key,
    if(agent_name != '', toString(agent_name), outer_agent) AS agent, {_SUMS}
FROM (SELECT {_COLUMNS}, agent_name FROM spans FINAL WHERE {CHOSEN_WINDOW} AND {COUNTED}) AS calls
LEFT ANY JOIN (
    SELECT trace_id, argMin(toString(agent_name), start_ns) AS outer_agent FROM spans
    WHERE {CHOSEN_WINDOW} AND agent_name != '' GROUP BY trace_id
) AS runs ON runs.trace_id = calls.trace_id
GROUP BY key, agent, call, provider, model, tier
SETTINGS do_not_merge_across_partitions_select_final = 1, {SCAN}
"""  # noqa: S608


@dataclass(slots=True)
class TraceUsage:
    """What a trace adds up to."""

    spans: int = 0
    errors: int = 0
    groups: list[UsageGroup] = field(default_factory=list[UsageGroup])


def bounds_of(traces: Sequence[Placed]) -> dict[str, Any]:
    """The parameters of `CHOSEN_TRACES`; there is at least one trace."""
    return {
        "traces": [trace.trace_id for trace in traces],
        "first_ns": min(trace.first_ns for trace in traces),
        "last_ns": max(trace.last_ns for trace in traces),
    }


async def usage_of_traces(store: TelemetryStore, workspace_id: str, traces: Sequence[Placed]) -> dict[str, TraceUsage]:
    """Counts and usage by trace id."""
    found: dict[str, TraceUsage] = {}
    for row in await store.query(_BY_TRACE, workspace_id=workspace_id, parameters=bounds_of(traces)):
        trace = found.setdefault(row["key"], TraceUsage())
        trace.spans += row["spans"]
        trace.errors += row["errors"]
        if row["is_counted"]:
            trace.groups.append(group_of(row))
    return found


async def usage_by_day(
    store: TelemetryStore, workspace_id: str, start_ns: int, end_ns: int
) -> list[tuple[str, UsageGroup]]:
    """Usage of the model calls that started in the window by UTC day (the key, ISO), each with its agent."""
    parameters = {"start_ns": start_ns, "end_ns": end_ns}
    rows = await store.query(_BY_DAY, workspace_id=workspace_id, parameters=parameters)
    return [(row["agent"], group_of(row)) for row in rows]


def group_of(row: dict[str, Any]) -> UsageGroup:
    """A row of sums, and a key."""
    return UsageGroup(
        key=row["key"],
        is_call=bool(row["call"]),
        provider=row["provider"],
        model=row["model"],
        tier_tokens=row["tier"],
        last_ns=row["last_ns"],
        calls=row["calls"],
        tokens=_usage(row, "sum"),
        untold=_usage(row, "untold"),
        untold_calls=row["untold_calls"],
        told=row["told"],
    )


def _usage(row: dict[str, Any], what: str) -> Usage:
    return Usage(**{name: row[f"{name}_{what}"] for name in TOKENS})
