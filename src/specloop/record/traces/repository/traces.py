"""Summaries of traces: added up from the outlines of their spans, or by the store where those are too many."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import TraceStatus, TraceSummary
from specloop.record.traces.pricing import usage_of
from specloop.record.traces.repository.choosing import Placed
from specloop.record.traces.repository.matching import KNOWN
from specloop.record.traces.repository.spans import SCORE_MIN, USAGE
from specloop.record.traces.repository.summing import Row, last_versions, summary_of
from specloop.record.traces.repository.usage import CHOSEN_TRACES, TraceUsage, bounds_of, usage_of_traces

SPANS_READ_MAX = 5_000
"""Up to so many spans are added up here, which takes the store one statement instead of two larger ones."""

_SUMMED = f"""
SELECT trace_id, span_id, parent_span_id, name, service_name, start_ns, end_ns, status_code, operation, provider, model,
    agent_id, agent_name, session_id, user_id, {", ".join(USAGE)}, tags, {SCORE_MIN}, received_at
FROM spans PREWHERE {CHOSEN_TRACES} LIMIT {{limit:UInt32}}
"""  # noqa: S608
_SUMMARIES = f"""
SELECT lower(hex(t.trace_id)) AS trace, min(t.start_ns) AS first_ns, max(t.end_ns) AS last_ns,
    argMinMerge(t.root) AS root_span, min(t.score_min) AS lowest_score,
    groupUniqArrayArray(t.service_names) AS services, groupUniqArrayArray(t.agent_ids) AS agents,
    groupUniqArrayArray(t.agent_names) AS agent_labels, groupUniqArrayArray(t.models) AS model_names,
    groupUniqArrayArray(t.session_ids) AS sessions, groupUniqArrayArray(t.user_ids) AS users,
    groupUniqArrayArray(t.tags) AS labels
FROM traces AS t
WHERE {KNOWN} AND t.trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16))
GROUP BY t.trace_id
"""  # noqa: S608


async def read_traces(store: TelemetryStore, workspace_id: str, placed: Sequence[Placed]) -> list[TraceSummary]:
    """The summaries of traces, in that order; those that are gone meanwhile are left out."""
    if not placed:
        return []
    found = await _sum_here(store, workspace_id, placed)
    if found is None:
        found = await _sum_in_store(store, workspace_id, placed)
    return [found[trace.trace_id] for trace in placed if trace.trace_id in found]


async def _sum_here(
    store: TelemetryStore, workspace_id: str, placed: Sequence[Placed]
) -> dict[str, TraceSummary] | None:
    """By trace id; None when they have more than `SPANS_READ_MAX` spans altogether."""
    parameters = {**bounds_of(placed), "limit": SPANS_READ_MAX + 1}
    rows = await store.query(_SUMMED, workspace_id=workspace_id, parameters=parameters)
    if len(rows) > SPANS_READ_MAX:
        return None
    by_trace: dict[bytes, list[Row]] = {}
    for row in last_versions(rows):
        by_trace.setdefault(row["trace_id"], []).append(row)
    return {trace.hex(): summary_of(own) for trace, own in by_trace.items()}


async def _sum_in_store(store: TelemetryStore, workspace_id: str, placed: Sequence[Placed]) -> dict[str, TraceSummary]:
    ids = [trace.trace_id for trace in placed]
    rows, usage = await asyncio.gather(
        store.query(_SUMMARIES, workspace_id=workspace_id, parameters={"traces": ids}),
        usage_of_traces(store, workspace_id, placed),
    )
    return {row["trace"]: _summary(row, usage[row["trace"]]) for row in rows if row["trace"] in usage}


def _summary(row: Mapping[str, Any], used: TraceUsage) -> TraceSummary:
    name, root_span_id = row["root_span"]
    return TraceSummary(
        trace_id=row["trace"],
        name=name,
        root_span_id=bytes(root_span_id).hex(),
        status=TraceStatus.ERROR if used.errors else TraceStatus.OK,
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
