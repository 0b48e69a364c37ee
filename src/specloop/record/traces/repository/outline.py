"""Reading a trace for the eye: all its spans by narrow columns, one span in full, and whether anything changed.

Attributes are most of a span's bytes, and a waterfall shows none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.model import GenAI, Scope, Span, TraceSummary, Usage
from specloop.record.traces.repository.choosing import Placed
from specloop.record.traces.repository.spans import ONE_SPAN, SCORE_MIN, USAGE, TraceRows, bounds, ids_of, span_of

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
_COLUMNS = f"""
    trace_id, span_id, parent_span_id, name, kind, service_name, start_ns, end_ns, status_code, status_message,
    {", ".join(_GENAI)}, {", ".join(USAGE)}, tags, {SCORE_MIN}
"""
_ROWS = TraceRows(_COLUMNS)
# Bodies may be stored in another order than they came in, so the last arrival alone does not tell.
_MARK = """
SELECT max(received_at) AS last, min(start_ns) AS first_ns,
    (SELECT count() FROM spans WHERE workspace_id = {workspace_id:UUID}) AS spans,
    (SELECT count() FROM deleted_traces WHERE workspace_id = {workspace_id:UUID}) AS deleted
FROM traces WHERE workspace_id = {workspace_id:UUID}
"""
_NO_SCOPE = Scope("", "", {})


async def outline(
    store: TelemetryStore, workspace_id: str, trace: Placed, most: int
) -> tuple[list[Span], TraceSummary | None]:
    """The trace's spans by start time, without attributes, events and links; at most `most`, its summary if all."""
    rows, summary = await _ROWS.read(store, workspace_id, trace, most)
    return [_line(row) for row in rows], summary


async def one_span(store: TelemetryStore, workspace_id: str, trace: Placed, span_id: str) -> Span | None:
    """One span with everything that was sent; its id is hex."""
    parameters = {**bounds(trace), "span_id": span_id}
    rows = await store.query(ONE_SPAN, workspace_id=workspace_id, parameters=parameters)
    return span_of(rows[0]) if rows else None


async def mark(store: TelemetryStore, workspace_id: str) -> str:
    """A text that is another one after every arrival and every removal of spans."""
    row = (await store.query(_MARK, workspace_id=workspace_id))[0]
    return f"{row['last']:%Y%m%d%H%M%S%f}-{row['first_ns']}-{row['spans']}-{row['deleted']}"


def _line(row: Mapping[str, Any]) -> Span:
    return Span(
        **ids_of(row),
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
        usage=Usage(**{name: row[name] for name in USAGE}),
        tags=row["tags"],
    )
