"""Exports: asked for over REST, written by a worker, fetched as a file (spectral.md, router 15)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import text

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.db.telemetry import TelemetryQueryFailed, TelemetryStore, TelemetryUnavailable
from specloop.db.uow import ALL_WORKSPACES
from specloop.jobs import Jobs, enqueue, runner
from specloop.kit.clock import SystemClock
from specloop.record.traces import TraceReader
from specloop.record.traces.ingest.otlp_json import request_from_json
from specloop.record.traces.model import TraceFilter, TraceSummary
from specloop.record.traces.repository import expiry
from specloop.record.traces.service import export as exporting
from specloop.record.traces.tasks import tasks
from specloop.testing.jobs import MemoryEngine
from specloop.worker import Worker
from tests.record.traces.harness import CALLERS, OURS, Server, eventually, hex_trace, request_of, span_of

BASE = f"/api/v1/workspaces/{OURS}/traces"
GOLD: dict[str, Any] = {"tier": "gold", "n": 1, "list": [1, "x", {"k": None}], "inf": float("inf")}
OWNER = {"authorization": "Bearer owner"}


def worker_of(server: Server) -> Worker:
    """Who writes the files."""
    services: dict[str, Any] = {kind.__name__: service for kind, service in server.app.state.services.items()}
    return Worker(server.database, Jobs(tasks), MemoryEngine(), services=services, poll_seconds=0.1)


async def ended(server: Server, body: dict[str, Any]) -> dict[str, Any]:
    """The export once it is not queued any more."""
    worker = worker_of(server)
    asked = await server.http.post(BASE + "/export", json=body, headers=OWNER)
    assert asked.status_code == 202
    location = asked.headers["location"]
    assert (await server.http.get(location + "/file", headers=OWNER)).status_code == 400
    await worker.start()

    async def finished() -> dict[str, Any] | None:
        found = (await server.http.get(location, headers=OWNER)).json()
        return found if found["state"] != "queued" else None

    export = await eventually(finished)
    await worker.stop()
    return export


async def exported(server: Server, body: dict[str, Any]) -> tuple[dict[str, Any], Response]:
    """The finished export and its file."""
    export = await ended(server, body)
    assert export["state"] == "completed"
    return export, await server.http.get(export["url"], headers=OWNER)


@pytest.fixture
async def filled(server: Server) -> Server:
    """Three traces, one of them of gold."""
    await server.send(
        request_of(
            span_of(1, trace=1, attributes=GOLD),
            span_of(2, trace=1, parent=1, name="inner"),
            span_of(3, trace=2),
        )
    )
    await server.wait_for_spans(hex_trace(1), 2)
    await server.wait_for_spans(hex_trace(2), 1)
    return server


async def test_an_otlp_export_holds_what_was_sent(filled: Server) -> None:
    export, file = await exported(filled, {})
    assert (export["traces"], export["spans"], export["size"]) == (2, 3, len(file.content))
    spans = [
        span
        for line in file.content.splitlines()
        for resource in request_from_json(json.loads(line)).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    assert sorted(int.from_bytes(span.span_id, "big") for span in spans) == [1, 2, 3]
    first = next(span for span in spans if span.span_id[-1] == 1)
    sent = span_of(attributes=GOLD)
    assert [json_format.MessageToDict(one) for one in first.attributes] == [
        json_format.MessageToDict(one) for one in sent.attributes
    ]


async def test_a_parquet_export_of_a_filter_is_a_table_of_spans(filled: Server) -> None:
    body = {"format": "parquet", "filter": {"attributes": [{"key": "tier", "value": "gold"}]}}
    export, file = await exported(filled, body)
    assert (export["traces"], export["spans"]) == (1, 2)
    assert file.headers["content-type"] == "application/vnd.apache.parquet"
    data = file.content
    assert (data[:4], data[-4:]) == (b"PAR1", b"PAR1")
    assert b"inner" in data


async def test_an_unknown_export_is_not_found(server: Server) -> None:
    for path in ("00000000-0000-7000-8000-000000000009", "x", "00000000-0000-7000-8000-000000000009/file"):
        assert (await server.http.get(f"{BASE}/exports/{path}", headers=OWNER)).status_code == 404


async def test_a_file_is_sent_piece_by_piece(server: Server) -> None:
    await server.send(request_of(*(span_of(number, attributes={"big": "ab" * 500_000}) for number in (1, 2, 3))))
    await server.wait_for_spans(hex_trace(1), 3)
    export, _ = await exported(server, {})
    pieces: list[bytes] = []

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            pieces.extend([message["body"]] if message.get("body") else [])
            await send(message)

        await server.app(scope, receive, note)

    async with AsyncClient(transport=ASGITransport(watched), base_url="http://test") as http:
        file = await http.get(export["url"], headers=OWNER)
    assert int(file.headers["content-length"]) == len(file.content) == export["size"] > 2_000_000
    assert max(len(piece) for piece in pieces) < len(file.content)


def failing(monkeypatch: pytest.MonkeyPatch, error: Callable[[], Exception]) -> list[str]:
    """Files cannot be read from the telemetry store; the names of those that were asked for."""
    asked: list[str] = []

    async def read_file(store: TelemetryStore, sql: str, form: str, **_: Any) -> bytes:
        asked.append(form)
        raise error()

    monkeypatch.setattr(TelemetryStore, "read_file", read_file)
    monkeypatch.setattr(runner, "retry_delay_seconds", lambda failures: 0.0)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    return asked


@pytest.mark.parametrize(("code", "problem"), [(241, "narrow the filter"), (47, "Incident ")])
async def test_an_export_that_the_store_refuses_ends_at_once(
    filled: Server, monkeypatch: pytest.MonkeyPatch, code: int, problem: str
) -> None:
    asked = failing(monkeypatch, lambda: TelemetryQueryFailed(f"Code: {code}. secrets of the engine", code))
    export = await ended(filled, {"format": "parquet"})
    assert export["state"] == "failed"
    assert problem in export["problem"]
    assert "secrets" not in export["problem"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "problem"),
    [(OSError("secrets of the disk"), "Incident "), (TelemetryUnavailable(), "cannot answer now")],
)
async def test_an_export_that_cannot_be_written_ends_after_the_last_attempt(
    filled: Server, monkeypatch: pytest.MonkeyPatch, error: Exception, problem: str
) -> None:
    asked = failing(monkeypatch, lambda: error)
    export = await ended(filled, {"format": "parquet"})
    assert export["state"] == "failed"
    assert problem in export["problem"]
    assert "secrets" not in export["problem"]
    assert len(asked) == 3


async def test_an_export_that_has_ended_is_not_written_again(filled: Server) -> None:
    export, file = await exported(filled, {})
    await filled.send(request_of(span_of(4, trace=3)))
    await filled.wait_for_spans(hex_trace(3), 1)
    async with filled.database.writing(OURS) as unit:  # as a kill between the end and the job's own does
        ctx = Context(CALLERS["owner"], unit, SystemClock())
        await enqueue(ctx, exporting.JOB, {"export_id": export["id"]}, queue="maintenance")
    worker = worker_of(filled)
    await worker.start()

    async def is_idle() -> bool:
        async with filled.database.reading(ALL_WORKSPACES) as unit:
            return await unit.session.scalar(text("SELECT count(*) FROM job_outbox WHERE state = 'succeeded'")) == 2

    await eventually(is_idle)
    await worker.stop()
    assert (await filled.http.get(f"{BASE}/exports/{export['id']}", headers=OWNER)).json() == export
    assert (await filled.http.get(export["url"], headers=OWNER)).content == file.content


async def test_no_state_transaction_lasts_for_more_than_one_page_of_traces(
    filled: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    units: list[object] = []
    list_traces = TraceReader.list_traces

    async def listing(reader: TraceReader, ctx: Context, chosen: TraceFilter, page: PageRequest) -> Page[TraceSummary]:
        units.append(ctx.uow)
        return await list_traces(reader, ctx, chosen, page)

    monkeypatch.setattr(TraceReader, "list_traces", listing)
    monkeypatch.setattr(exporting, "PAGE_TRACES", 1)
    export, _ = await exported(filled, {})
    assert export["traces"] == 2
    assert len(units) == len({id(unit) for unit in units}) == 2


async def test_paging_through_all_ids_reads_each_once_by_the_key(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [1, 2, 255, 256, 1 << 64, (1 << 128) - 1]
    await server.send(request_of(*(span_of(trace=number) for number in numbers)))
    await server.send(request_of(*(span_of(2, trace=number) for number in numbers)))
    for number in numbers:
        await server.wait_for_spans(hex_trace(number), 2)
    asked: list[tuple[str, dict[str, Any]]] = []
    query = server.telemetry.query

    async def watched(sql: str, *, workspace_id: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        asked.append((sql, parameters))
        return await query(sql, workspace_id=workspace_id, parameters=parameters)

    monkeypatch.setattr(server.telemetry, "query", watched)
    found: list[str] = []
    while page := await expiry.page_ids(server.telemetry, OURS, found[-1] if found else "", 4):
        found += page
    assert found == [hex_trace(number) for number in numbers]
    sql, parameters = asked[1]
    plan = await query(f"EXPLAIN indexes = 1 {sql}", workspace_id=OURS, parameters=parameters)
    lines = [next(iter(row.values())).strip() for row in plan]
    keys = lines[lines.index("Keys:") + 1 : lines.index("Keys:") + 3]
    assert keys == ["workspace_id", "trace_id"]
