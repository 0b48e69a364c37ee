"""A trace's summary from the rows of all its spans: the same figures as the store adds up for traces too large to read.

Rows are as the store answers them: ids are bytes, and `cost_usd` is what the sender named.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from specloop.record.prices import TIER_STARTS
from specloop.record.traces.model import SPAN_STATUSES, TraceStatus, TraceSummary, Usage, UsageGroup
from specloop.record.traces.pricing import is_model_call, usage_of

Row = Mapping[str, Any]
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_FAILED = SPAN_STATUSES.index("error")


def last_versions(rows: Iterable[Row]) -> list[Row]:
    """Of each span the row that merges would keep: the one that ended last, then the one that came last."""
    kept: dict[tuple[bytes, bytes], Row] = {}
    for row in rows:
        key = (row["trace_id"], row["span_id"])
        other = kept.get(key)
        if other is None or (row["end_ns"], row["received_at"]) > (other["end_ns"], other["received_at"]):
            kept[key] = row
    return list(kept.values())


def summary_of(rows: Sequence[Row]) -> TraceSummary:
    """The summary of the trace whose spans, all of them, these are; at least one."""
    root = min(rows, key=lambda row: (any(row["parent_span_id"]), row["start_ns"]))
    failures = sum(row["status_code"] == _FAILED for row in rows)
    return TraceSummary(
        trace_id=root["trace_id"].hex(),
        name=root["name"],
        root_span_id=root["span_id"].hex(),
        status=TraceStatus.ERROR if failures else TraceStatus.OK,
        start_ns=min(row["start_ns"] for row in rows),
        end_ns=max(row["end_ns"] for row in rows),
        span_count=len(rows),
        error_count=failures,
        usage=usage_of(_groups(rows)),
        service_names=_names(row["service_name"] for row in rows),
        agent_ids=_names(row["agent_id"] for row in rows),
        agent_names=_names(row["agent_name"] for row in rows),
        models=_names(row["model"] for row in rows),
        session_ids=_names(row["session_id"] for row in rows),
        user_ids=_names(row["user_id"] for row in rows),
        tags=_names(tag for row in rows for tag in row["tags"]),
        score_min=min((row["score_min"] for row in rows if row["score_min"] is not None), default=None),
    )


def _groups(rows: Sequence[Row]) -> list[UsageGroup]:
    """What the spans used, each token once: a span that repeats what its child tells gives way to it."""
    used = [
        row
        for row in rows
        if row["input_tokens"] is not None or row["output_tokens"] is not None or row["cost_usd"] is not None
    ]
    repeated = {row["parent_span_id"] for row in used}
    found: dict[tuple[str, str, str, int], list[Row]] = {}
    for row in used:
        if row["span_id"] not in repeated:
            tier = bisect_left(TIER_STARTS, row["input_tokens"] or 0)
            found.setdefault((row["operation"], row["provider"], row["model"], tier), []).append(row)
    return [_group(rows) for rows in found.values()]


def _group(rows: Sequence[Row]) -> UsageGroup:
    untold = [row for row in rows if row["cost_usd"] is None]
    last = rows[-1]
    return UsageGroup(
        key=last["trace_id"].hex(),
        is_call=is_model_call(last["operation"]),
        provider=last["provider"],
        model=last["model"],
        tier_tokens=last["input_tokens"] or 0,
        last_ns=max(row["start_ns"] for row in rows),
        calls=len(rows),
        tokens=_tokens(rows),
        untold=_tokens(untold),
        untold_calls=len(untold),
        told=_sum(row["cost_usd"] for row in rows),
    )


def _tokens(rows: Sequence[Row]) -> Usage:
    return Usage(**{name: _sum(row[name] for row in rows) for name in TOKENS})


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _names(values: Iterable[str]) -> list[str]:
    return sorted({value for value in values if value})
