"""Which traces there are: found by the narrow columns of their summary rows, the newest of those first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specloop.db.telemetry import SCAN, TelemetryStore
from specloop.record.traces.repository.matching import KNOWN, OWN, Matching

_CHOOSE = """
SELECT lower(hex(t.trace_id)) AS trace, min(t.start_ns) AS first_ns, max(t.end_ns) AS last_ns
FROM traces AS t WHERE {where} GROUP BY t.trace_id HAVING {having}
"""
_NEWEST = f"""
SELECT t.trace_id AS trace, t.start_ns AS row_ns
FROM traces AS t WHERE {{where}} ORDER BY row_ns DESC LIMIT {{{{rows:UInt64}}}}
SETTINGS {SCAN}
"""  # noqa: S608  (fixed text; values are parameters)
_AMONG = f"{KNOWN} AND t.trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16))"
_PLACE = _CHOOSE.format(where=f"{KNOWN} AND t.trace_id = unhex({{trace_id:String}})", having="1")
# Of the traces that are marked as failed: every span that failed came once more with another status (or the failed one
# was merged away), and no span's last version is a failure. The first half alone leaves out nearly all of them.
_RECOVERED = f"""
SELECT lower(hex(trace_id)) AS trace FROM (
    SELECT trace_id, argMax(status_code, (end_ns, received_at)) AS last_status FROM spans
    WHERE {OWN} AND trace_id IN (
        SELECT trace_id FROM traces WHERE {OWN} AND has_error = 1 AND trace_id NOT IN (
            SELECT trace_id FROM spans WHERE {OWN} AND status_code = 2 AND cityHash64(trace_id, span_id) NOT IN (
                SELECT cityHash64(trace_id, span_id) FROM spans
                WHERE {OWN} AND status_code != 2 AND cityHash64(trace_id, span_id) IN (
                    SELECT cityHash64(trace_id, span_id) FROM spans WHERE {OWN} AND status_code = 2))))
    GROUP BY trace_id, span_id)
GROUP BY trace_id HAVING countIf(last_status = 2) = 0 LIMIT {{limit:UInt32}}
SETTINGS {SCAN}
"""  # noqa: S608
_ORDER = " ORDER BY first_ns DESC, t.trace_id DESC LIMIT {limit:UInt32} OFFSET {offset:UInt64}"

ROWS_PER_TRACE = (2, 24)
ROWS_MAX = 5_000
RECOVERED_MAX = 20_000
"""How many of the newest rows are looked at, per wanted trace and at all, before all traces are put in order."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A trace and when it was, in nanoseconds since 1970: the primary key of its spans begins with that."""

    trace_id: str
    first_ns: int
    last_ns: int


async def choose_traces(
    store: TelemetryStore,
    workspace_id: str,
    matching: Matching,
    *,
    limit: int,
    offset: int = 0,
    before: tuple[int, str] | None = None,
) -> list[Placed]:
    """The newest matching traces, older than the trace with start (ns) and id `before`."""
    if before is not None:
        matching.add_before(*before)
    wanted = offset + limit
    for rows_max in (rows * wanted for rows in ROWS_PER_TRACE):
        if rows_max > ROWS_MAX or matching.reads_text:
            break
        newest = await _choose_among_newest(store, workspace_id, matching, wanted, rows_max)
        if newest is not None:
            return newest[offset:]
    parameters = {**matching.parameters, "limit": limit, "offset": offset}
    rows = await store.query(
        _chosen(matching) + _ORDER + matching.settings, workspace_id=workspace_id, parameters=parameters
    )
    return _placed(rows)


async def _choose_among_newest(
    store: TelemetryStore, workspace_id: str, matching: Matching, wanted: int, rows_max: int
) -> list[Placed] | None:
    """The newest matching traces if the newest rows are enough to tell; most lists are answered without putting all
    traces in order. A trace that begins after the oldest of these rows has one among them."""
    query = _NEWEST.format(where=matching.where_row)
    rows = await store.query(query, workspace_id=workspace_id, parameters={**matching.parameters, "rows": rows_max})
    if not rows:
        return []
    candidates = [trace.hex() for trace in {row["trace"] for row in rows}]
    parameters = {**matching.parameters, "traces": candidates, "limit": wanted, "offset": 0}
    query = _CHOOSE.format(where=_AMONG, having=matching.having) + _ORDER
    found = _placed(await store.query(query, workspace_id=workspace_id, parameters=parameters))
    if len(rows) < rows_max:
        return found
    certain = [trace for trace in found if trace.first_ns > rows[-1]["row_ns"]]
    return certain if len(certain) == wanted else None


async def count_traces(store: TelemetryStore, workspace_id: str, matching: Matching) -> int:
    """How many traces match."""
    if matching.is_by_row:
        sql = f"SELECT uniqExact(t.trace_id) AS count FROM traces AS t WHERE {matching.where}"  # noqa: S608
    else:
        sql = f"SELECT count() AS count FROM ({_chosen(matching)})"  # noqa: S608  (fixed text; values are parameters)
    rows = await store.query(sql + matching.settings, workspace_id=workspace_id, parameters=matching.parameters)
    return int(rows[0]["count"])


async def recovered_traces(store: TelemetryStore, workspace_id: str) -> list[str]:
    """The ids (hex) of traces that failed as they were first delivered, and by their spans' last versions did not."""
    rows = await store.query(_RECOVERED, workspace_id=workspace_id, parameters={"limit": RECOVERED_MAX})
    return [row["trace"] for row in rows]


async def place(store: TelemetryStore, workspace_id: str, trace_id: str) -> Placed | None:
    """Where the trace with this id (32 hex digits) is; None when the workspace has none."""
    rows = await store.query(_PLACE, workspace_id=workspace_id, parameters={"trace_id": trace_id})
    return next(iter(_placed(rows)), None)


def _placed(rows: Sequence[Mapping[str, Any]]) -> list[Placed]:
    return [Placed(row["trace"], row["first_ns"], row["last_ns"]) for row in rows]


def _chosen(matching: Matching) -> str:
    return _CHOOSE.format(where=matching.where, having=matching.having)
