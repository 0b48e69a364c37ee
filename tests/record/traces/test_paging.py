"""Lists stay whole while spans are delivered again, change their status, vanish, or are stored out of order."""

from __future__ import annotations

import time
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.paging import PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.kit.clock import SystemClock
from specloop.record.traces.model import TraceFilter
from specloop.record.traces.repository import removal, traces
from specloop.record.traces.repository.native import ReceivedBody, insert_bodies
from specloop.record.traces.service import reading
from specloop.record.traces.service.glance import TraceGlance
from specloop.record.traces.service.reading import TraceReader
from tests.record.traces.harness import CALLERS, OURS, Server, hex_span, hex_trace, request_of, span_of

HOUR_NS = 3_600 * 10**9


async def _insert(server: Server, *spans: Span, received_us: int | None = None) -> None:
    """Spans that can be read when this returns."""
    received_us = received_us or time.time_ns() // 1_000
    body = ReceivedBody(OURS, received_us, request_of(*spans).SerializeToString())
    await insert_bodies(server.telemetry, [body])


def _status(span: Span, code: Status.StatusCode.ValueType) -> Span:
    span.status.code = code
    return span


async def _walk(server: Server, limit: int = 1, **query: Any) -> list[int]:
    """The numbers of all traces of a list, page by page."""
    seen: list[int] = []
    for _ in range(50):
        page = (await server.get("", limit=limit, **query)).json()
        seen += [int(trace["trace_id"], 16) for trace in page["results"]]
        if "next_cursor" not in page["pagination"]:
            return seen
        query["cursor"] = page["pagination"]["next_cursor"]
    raise AssertionError(f"the list does not end: {seen}")


async def test_a_span_delivered_again_with_a_later_start_is_listed_once(server: Server) -> None:
    base = time.time_ns() - HOUR_NS
    await _insert(server, *(span_of(1, trace=n, start_ns=base + n * 10**9) for n in range(1, 5)))
    await _insert(server, span_of(1, trace=3, start_ns=base + 100 * 10**9))
    assert await _walk(server) == [4, 3, 2, 1]
    assert await _walk(server, limit=2) == [4, 3, 2, 1]


async def test_a_page_whose_traces_are_deleted_meanwhile_still_leads_on(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = time.time_ns() - HOUR_NS
    await _insert(server, *(span_of(1, trace=n, start_ns=base + n) for n in range(1, 5)))
    read = traces.read_traces

    async def read_after_deletion(store: TelemetryStore, workspace_id: str, placed: Any) -> Any:
        monkeypatch.setattr(traces, "read_traces", read)
        for number in (3, 4):
            await removal.delete_trace(store, workspace_id, hex_trace(number))
        return await read(store, workspace_id, placed)

    monkeypatch.setattr(traces, "read_traces", read_after_deletion)
    assert await _walk(server, limit=2) == [2, 1]


NO_LOOKS = dict.fromkeys(reading.LOOKS_PER_TRACE, ())


@pytest.mark.parametrize(
    ("looks", "read_max"),
    [(reading.LOOKS_PER_TRACE, 5_000), (reading.LOOKS_PER_TRACE, 1), (NO_LOOKS, 5_000)],
    ids=["summed up here", "summed up in the store", "all that recovered"],
)
async def test_the_last_version_of_a_span_decides_whether_its_trace_failed(
    server: Server, monkeypatch: pytest.MonkeyPatch, looks: Any, read_max: int
) -> None:
    """Whether the store has merged the two versions, or they lie in different hours, which it never merges."""
    monkeypatch.setattr(reading, "LOOKS_PER_TRACE", looks)
    monkeypatch.setattr(traces, "SPANS_READ_MAX", read_max)
    base = (time.time_ns() // HOUR_NS - 3) * HOUR_NS
    failed, worked = Status.STATUS_CODE_ERROR, Status.STATUS_CODE_OK
    at = {n: base + n * 10**9 for n in range(1, 9)}
    at[5] = base + HOUR_NS - 10
    for code, later in ((failed, 0), (worked, 9_000_000)):
        await _insert(
            server,
            _status(span_of(1, trace=1, start_ns=at[1], duration_ns=10**6 + later), code),
            _status(span_of(1, trace=3, start_ns=at[3], duration_ns=10**6 + later), code),
            _status(span_of(1, trace=5, start_ns=at[5] + later, duration_ns=10**6), code),
        )
        if code is failed:
            await _insert(
                server,
                *(_status(span_of(1, trace=n, start_ns=at[n]), failed) for n in (2, 4)),
                *(_status(span_of(2, trace=n, start_ns=at[n]), worked) for n in (2, 4, 6, 7, 8)),
            )
        else:
            # trace 3 fails by another span all the same
            await _insert(server, _status(span_of(7, trace=3, start_ns=at[3]), failed))
    for _ in range(2):
        assert await _walk(server, status="ok") == [5, 8, 7, 6, 1]
        assert await _walk(server, status="error", limit=2) == [4, 3, 2]
        assert await _walk(server) == [5, 8, 7, 6, 4, 3, 2, 1]
        for status, total in (("ok", 5), ("error", 3)):
            page = (await server.get("", status=status, limit=1)).json()
            assert page["pagination"]["total"] == total
            assert {trace["status"] for trace in page["results"]} == {status}
            rest = (await server.get("", status=status, offset=1)).json()
            assert (len(rest["results"]), rest["pagination"]["total"]) == (total - 1, total)
        await server.telemetry.maintain([f"OPTIMIZE TABLE {table} FINAL" for table in ("spans", "traces")])


async def test_a_list_is_read_anew_when_an_earlier_body_is_stored_later(server: Server, database: Database) -> None:
    glance = TraceGlance(server.telemetry, TraceReader(server.telemetry))
    base, now_us = time.time_ns() - HOUR_NS, time.time_ns() // 1_000

    async def listed() -> list[int]:
        async with database.reading(OURS) as unit:
            page = await glance.list_traces(
                Context(CALLERS["owner"], unit, SystemClock()), TraceFilter(), PageRequest()
            )
        return [int(trace.trace_id, 16) for trace in page.results]

    await _insert(server, span_of(1, trace=1, start_ns=base), received_us=now_us - 50)
    await _insert(server, span_of(1, trace=3, start_ns=base + 2), received_us=now_us)
    assert await listed() == [3, 1]
    await _insert(server, span_of(1, trace=2, start_ns=base + 1), received_us=now_us - 10)
    assert await listed() == [3, 2, 1]


async def test_the_cursor_of_one_list_is_refused_by_another(server: Server) -> None:
    await _insert(server, *(span_of(n) for n in (1, 2)), span_of(1, trace=2))
    of_traces = (await server.get("", limit=1)).json()["pagination"]["next_cursor"]
    of_spans = (await server.get(f"/{hex_trace(1)}/spans", limit=1)).json()["pagination"]["next_cursor"]
    for path, cursor in (("", of_spans), (f"/{hex_trace(1)}/spans", of_traces)):
        assert (await server.get(path, cursor=cursor)).status_code == 422
    assert (await server.get("", cursor=of_traces)).status_code == 200
    assert (await server.get(f"/{hex_trace(1)}/spans", cursor=of_spans)).status_code == 200


async def test_only_the_order_of_a_list_can_be_asked_for(server: Server) -> None:
    await _insert(server, span_of(1))
    for path, order in (("", "-started_at"), (f"/{hex_trace(1)}/spans", "started_at")):
        assert (await server.get(path, sort=order)).status_code == 200
        for sort in ("nonsense", "name", f"{order},name"):
            assert (await server.get(path, sort=sort)).status_code == 422


async def test_opinions_come_in_pages(server: Server) -> None:
    await _insert(server, span_of(1))
    here = f"/api/v1/workspaces/{OURS}/traces/{hex_trace(1)}"
    owner = {"authorization": "Bearer owner"}
    for number in range(3):
        comment = {"kind": "comment", "value": str(number), "user_ref": f"u{number}"}
        judgement = {"name": "judge", "label": str(number)}
        assert (await server.http.post(f"{here}/feedback", json=comment, headers=owner)).status_code == 201
        assert (await server.http.post(f"{here}/annotations", json=judgement, headers=owner)).status_code == 201
    for what, member in (("feedback", "value"), ("annotations", "label")):
        path = f"/{hex_trace(1)}/{what}"
        page = (await server.get(path, limit=2, offset=1)).json()
        assert [one[member] for one in page["results"]] == ["1", "2"]
        assert page["pagination"] == {"total": 3, "limit": 2, "offset": 1}
        refused: list[dict[str, Any]] = [{"limit": 0}, {"limit": 101}, {"offset": -1}, {"sort": "nonsense"}]
        for query in refused:
            assert (await server.get(path, **query)).status_code == 422


async def test_feedback_names_who_gave_it_last(server: Server) -> None:
    await _insert(server, span_of(1))
    path = f"/api/v1/workspaces/{OURS}/traces/{hex_trace(1)}/feedback"
    said = {"kind": "comment", "value": "x", "user_ref": "somebody"}
    for caller in ("owner", "writer"):
        answer = await server.http.post(path, json=said, headers={"authorization": f"Bearer {caller}"})
        assert answer.json()["created_by"] == CALLERS[caller].actor_id
    assert len((await server.get(f"/{hex_trace(1)}/feedback")).json()["results"]) == 1


async def test_feedback_on_one_span_can_be_withdrawn_alone(server: Server) -> None:
    await _insert(server, span_of(0xA))
    path = f"/api/v1/workspaces/{OURS}/traces/{hex_trace(1)}/feedback"
    owner = {"authorization": "Bearer owner"}

    async def about() -> list[str | None]:
        return [one["span_id"] for one in (await server.get(f"/{hex_trace(1)}/feedback")).json()["results"]]

    for span_id in (None, hex_span(0xA), hex_span(2)):
        said = {"kind": "thumbs", "value": "down", "span_id": span_id}
        assert (await server.http.post(path, json=said, headers=owner)).status_code == 201
    for span_id, left in ((hex_span(0xA).upper(), [None, hex_span(2)]), ("", [hex_span(2)])):
        assert (await server.http.delete(f"{path}?span_id={span_id}", headers=owner)).status_code == 204
        assert await about() == left
    assert (await server.http.delete(f"{path}?span_id=x", headers=owner)).status_code == 422
    assert (await server.http.delete(path, headers=owner)).status_code == 204
    assert await about() == []
