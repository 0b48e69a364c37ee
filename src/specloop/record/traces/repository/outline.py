"""Reading a trace for the eye: all its spans by narrow columns, one span in full, and whether anything changed.

Attributes are most of a span's bytes, and a waterfall shows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import GenAI, Scope, Span, Usage
from specloop.record.traces.repository.spans import ONE_SPAN, SCORE_MIN, WITHIN_TRACE, bounds, span_of
from specloop.record.traces.repository.traces import Placed
from specloop.record.traces.repository.usage import LAST_VERSION

_USAGE = ("input_tokens", "output_tokens", "cost_usd", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens")
_GENAI = (
    "operation",
    "provider",
    "model",
    "agent_id",
    "agent_name",
    "session_id",
    "user_id",
    "tool_name",
    "error_type",
)
_OUTLINE = f"""
SELECT lower(hex(span_id)) AS span, lower(hex(parent_span_id)) AS parent, name, kind, service_name, start_ns, end_ns,
    status_code, status_message, {", ".join(_GENAI)}, {", ".join(_USAGE)}, tags, {SCORE_MIN}
FROM spans WHERE {WITHIN_TRACE}
{LAST_VERSION}
"""  # noqa: S608
_PAGE = f"SELECT * FROM ({_OUTLINE}) ORDER BY start_ns, span LIMIT {{limit:UInt32}}"  # noqa: S608
_MARK = """
SELECT max(received_at) AS last, min(start_ns) AS first_ns,
    (SELECT count() FROM deleted_traces WHERE workspace_id = {workspace_id:UUID}) AS deleted
FROM traces WHERE workspace_id = {workspace_id:UUID}
"""
_NO_SCOPE = Scope("", "", {})


async def outline(store: TelemetryStore, workspace_id: str, trace: Placed, limit: int) -> list[Span]:
    """The first `limit` spans of a trace by start time, without attributes, events and links."""
    parameters = {**bounds(trace), "limit": limit}
    rows = await store.query(_PAGE, workspace_id=workspace_id, parameters=parameters)
    return [_line(trace.trace_id, row) for row in rows]


async def one_span(store: TelemetryStore, workspace_id: str, trace: Placed, span_id: str) -> Span | None:
    """One span with everything that was sent; its id is hex."""
    parameters = {**bounds(trace), "span_id": span_id}
    rows = await store.query(ONE_SPAN, workspace_id=workspace_id, parameters=parameters)
    return span_of(rows[0]) if rows else None


async def mark(store: TelemetryStore, workspace_id: str) -> str:
    """A text that is another one after every arrival and every removal of spans."""
    row = (await store.query(_MARK, workspace_id=workspace_id))[0]
    return f"{row['last']:%Y%m%d%H%M%S%f}-{row['first_ns']}-{row['deleted']}"


def _line(trace_id: str, row: Mapping[str, Any]) -> Span:
    return Span(
        trace_id=trace_id,
        span_id=row["span"],
        parent_span_id=None if row["parent"] == "0" * 16 else row["parent"],
        name=row["name"],
        kind=row["kind"],
        service_name=row["service_name"],
        start_ns=row["start_ns"],
        end_ns=row["end_ns"],
        status_code=row["status_code"],
        status_message=row["status_message"],
        trace_state="",
        flags=0,
        scope=_NO_SCOPE,
        attributes={},
        resource_attributes={},
        events=(),
        links=(),
        dropped=(0, 0, 0),
        genai=GenAI(**{name: row[name] for name in _GENAI}),
        usage=Usage(**{name: row[name] for name in _USAGE}),
        tags=row["tags"],
        score_min=row["score_min"],
    )
