"""Exports: asked for over REST, written by a worker, fetched as a file (spectral.md, router 15)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from httpx import Response

from specloop.jobs import Jobs
from specloop.record.traces.ingest.otlp_json import request_from_json
from specloop.record.traces.tasks import tasks
from specloop.testing.jobs import MemoryEngine
from specloop.worker import Worker
from tests.record.traces.harness import OURS, Server, eventually, hex_trace, request_of, span_of

BASE = f"/api/v1/workspaces/{OURS}/traces"
GOLD: dict[str, Any] = {"tier": "gold", "n": 1, "list": [1, "x", {"k": None}], "inf": float("inf")}
OWNER = {"authorization": "Bearer owner"}


async def exported(server: Server, body: dict[str, Any]) -> tuple[dict[str, Any], Response]:
    """The finished export and its file."""
    services: dict[str, Any] = {kind.__name__: service for kind, service in server.app.state.services.items()}
    worker = Worker(server.database, Jobs(tasks), MemoryEngine(), services=services, poll_seconds=0.1)
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
