"""Reading traces: which there are, from narrow columns first; then the summaries of those that a page shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import TraceStatus, TraceSummary
from specloop.record.traces.pricing import usage_of
from specloop.record.traces.repository.matching import KNOWN, Matching
from specloop.record.traces.repository.usage import TraceUsage, usage_of_traces

_CHOOSE = """
SELECT lower(hex(t.trace_id)) AS trace, min(t.start_ns) AS first_ns, max(t.end_ns) AS last_ns
FROM traces AS t WHERE {where} GROUP BY t.trace_id HAVING {having}
"""
_ORDER = " ORDER BY first_ns DESC, t.trace_id DESC LIMIT {limit:UInt32} OFFSET {offset:UInt64}"
_SUMMARIES = f"""
SELECT lower(hex(t.trace_id)) AS trace, min(t.start_ns) AS first_ns, max(t.end_ns) AS last_ns,
    argMinMerge(t.root) AS root_span, max(t.has_error) AS failed, min(t.score_min) AS lowest_score,
    groupUniqArrayArray(t.service_names) AS services, groupUniqArrayArray(t.agent_ids) AS agents,
    groupUniqArrayArray(t.agent_names) AS agent_labels, groupUniqArrayArray(t.models) AS model_names,
    groupUniqArrayArray(t.session_ids) AS sessions, groupUniqArrayArray(t.user_ids) AS users,
    groupUniqArrayArray(t.tags) AS labels
FROM traces AS t
WHERE {KNOWN} AND t.trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16))
GROUP BY t.trace_id
"""  # noqa: S608


async def choose_traces(
    store: TelemetryStore,
    workspace_id: str,
    matching: Matching,
    *,
    limit: int,
    offset: int = 0,
    before: tuple[int, str] | None = None,
) -> list[str]:
    """The ids of the newest matching traces, older than the trace with start (ns) and id `before`."""
    if before is not None:
        matching.add_having(
            "(first_ns, t.trace_id) < ({before_ns:UInt64}, toFixedString(unhex({before_trace:String}), 16))",
            before_ns=before[0],
            before_trace=before[1],
        )
    parameters = {**matching.parameters, "limit": limit, "offset": offset}
    rows = await store.query(
        _chosen(matching) + _ORDER + matching.settings, workspace_id=workspace_id, parameters=parameters
    )
    return [row["trace"] for row in rows]


async def count_traces(store: TelemetryStore, workspace_id: str, matching: Matching) -> int:
    """How many traces match."""
    if matching.is_by_row:
        sql = f"SELECT uniqExact(t.trace_id) AS count FROM traces AS t WHERE {matching.where}"  # noqa: S608
    else:
        sql = f"SELECT count() AS count FROM ({_chosen(matching)})"  # noqa: S608  (fixed text; values are parameters)
    rows = await store.query(sql + matching.settings, workspace_id=workspace_id, parameters=matching.parameters)
    return int(rows[0]["count"])


async def is_known(store: TelemetryStore, workspace_id: str, trace_id: str) -> bool:
    """Whether the workspace has a trace with this id (32 hex digits)."""
    sql = f"SELECT 1 AS found FROM traces AS t WHERE {KNOWN} AND t.trace_id = unhex({{trace_id:String}}) LIMIT 1"  # noqa: S608
    return bool(await store.query(sql, workspace_id=workspace_id, parameters={"trace_id": trace_id}))


async def read_traces(store: TelemetryStore, workspace_id: str, traces: Sequence[str]) -> list[TraceSummary]:
    """The summaries of `traces` (32 hex digits each) in that order; unknown ones are left out."""
    if not traces:
        return []
    rows = await store.query(_SUMMARIES, workspace_id=workspace_id, parameters={"traces": list(traces)})
    if not rows:
        return []
    window = min(row["first_ns"] for row in rows), max(row["last_ns"] for row in rows)
    usage = await usage_of_traces(store, workspace_id, [row["trace"] for row in rows], *window)
    found = {row["trace"]: _summary(row, usage[row["trace"]]) for row in rows if row["trace"] in usage}
    return [found[trace] for trace in traces if trace in found]


def _chosen(matching: Matching) -> str:
    return _CHOOSE.format(where=matching.where, having=matching.having)


def _summary(row: Mapping[str, Any], used: TraceUsage) -> TraceSummary:
    name, root_span_id = row["root_span"]
    return TraceSummary(
        trace_id=row["trace"],
        name=name,
        root_span_id=bytes(root_span_id).hex(),
        status=TraceStatus.ERROR if row["failed"] else TraceStatus.OK,
        start_ns=row["first_ns"],
        end_ns=row["last_ns"],
        span_count=used.spans,
        error_count=used.errors,
        usage=usage_of(used.groups),
        service_names=sorted(row["services"]),
        agent_ids=sorted(row["agents"]),
        agent_names=sorted(row["agent_labels"]),
        models=sorted(row["model_names"]),
        session_ids=sorted(row["sessions"]),
        user_ids=sorted(row["users"]),
        tags=sorted(row["labels"]),
        score_min=row["lowest_score"],
    )
