"""Router 3 through the front door: autonomy, retention, health, the audit log and the event stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from specloop.identity.workspaces import Autonomy, AutonomyBounds, AutonomyMode, AutoRollback, QuietHours
from specloop.kit import json
from tests.identity.workspaces.harness import World


async def test_a_new_workspace_is_manual_and_can_be_made_automatic(world: World) -> None:
    before = await world.call("observer", "GET", "autonomy")
    assert before.json()["mode"] == "manual"
    wanted: dict[str, Any] = {
        "mode": "bounded_auto",
        "bounds": {
            "max_auto_per_day": 2,
            "allowed_components": ["/params/threshold"],
            "quiet_hours": [{"start": "22:00", "end": "06:30"}],
        },
        "auto_rollback": {"enabled": True, "window_h": 6, "metric": "error_rate", "drop": 0.1},
    }
    assert (await world.call("contributor", "PUT", "autonomy", json=wanted)).status_code == 403
    put = await world.call("admin", "PUT", "autonomy", json=wanted, headers={"If-Match": before.headers["etag"]})
    assert put.status_code == 200
    after = (await world.call("observer", "GET", "autonomy")).json()
    assert after == put.json()
    assert after["bounds"]["quiet_hours"] == [{"start": "22:00", "end": "06:30"}]
    assert after["bounds"]["max_text_delta_chars"] == 400
    stale = await world.call("admin", "PUT", "autonomy", json=wanted, headers={"If-Match": before.headers["etag"]})
    assert stale.status_code == 412


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"mode": "wild"},
        {"mode": "manual", "bounds": {"max_auto_per_day": -1}},
        {"mode": "manual", "bounds": {"min_effect": 1.5}},
        {"mode": "manual", "bounds": {"quiet_hours": [{"start": "25:00", "end": "06:00"}]}},
        {"mode": "manual", "bounds": {"allowed_components": ["threshold"]}},
        {"mode": "manual", "bounds": {"agents": ["everyone"]}},
        {"mode": "manual", "auto_rollback": {"drop": 0}},
        {"mode": "manual", "owner": "me"},
    ],
)
async def test_autonomy_outside_its_bounds_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world.call("owner", "PUT", "autonomy", json=body)).status_code == 422
    assert (await world.call("owner", "GET", "autonomy")).json()["mode"] == "manual"


_autonomies = st.builds(
    Autonomy,
    mode=st.sampled_from(AutonomyMode),
    auto_validate=st.booleans(),
    bounds=st.builds(
        AutonomyBounds,
        max_auto_per_day=st.integers(0, 1000),
        allowed_components=st.lists(st.sampled_from(["/prompt/base", "/params"]), max_size=3).map(tuple),
        min_effect=st.floats(0, 1),
        max_risk=st.sampled_from(["low", "medium", "high"]),
        quiet_hours=st.lists(st.builds(QuietHours, st.just("22:00"), st.just("06:00")), max_size=2).map(tuple),
    ),
    auto_rollback=st.builds(AutoRollback, window_h=st.integers(1, 720), drop=st.floats(0.001, 1)),
)


@given(_autonomies)
def test_autonomy_survives_its_document(autonomy: Autonomy) -> None:
    assert Autonomy.from_document(json.loads(json.dumps(autonomy.as_document()))) == autonomy


async def test_retention_is_replaced_as_a_whole(world: World) -> None:
    assert (await world.call("observer", "GET", "retention")).status_code == 403
    put = await world.call("admin", "PUT", "retention", json={"traces_days": 7, "scan_events_days": None})
    kept = {"traces_days": 7, "scan_events_days": None, "conversations_days": 365, "audit_days": None}
    assert put.json() == {**kept, "sessions_days": None}
    assert (await world.call("admin", "GET", "retention")).json() == put.json()
    assert (await world.call("admin", "PUT", "retention", json={"traces_days": 0})).status_code == 422


async def test_health_puts_the_probes_together(world: World) -> None:
    body = (await world.call("observer", "GET", "health")).json()
    assert body["ingest"] == {"last_span_at": None, "spans_24h": 7, "lag_ms": 12.5, "rejected_24h": 2}
    assert body["score"] == 90
    assert body["issues"] == [{"code": "spans-rejected", "severity": "warning", "detail": "2 spans were rejected"}]
    assert {"agents", "scans", "queue", "models"} <= body.keys()


async def test_every_change_is_in_the_audit_log_of_its_workspace(world: World) -> None:
    await world.call("admin", "PATCH", "", json={"name": "Renamed"})
    await world.call("admin", "PUT", "autonomy", json={"mode": "recommend"})
    log = (await world.call("admin", "GET", "audit")).json()["results"]
    assert [event["action"] for event in log] == [
        "workspace.autonomy_changed",
        "workspace.updated",
        "workspace.created",
    ]
    assert log[0]["actor_id"] == world.ids["admin"]
    only = (await world.call("admin", "GET", f"audit?action=workspace.updated&actor={world.ids['admin']}")).json()
    assert [event["detail"] for event in only["results"]] == [{"name": "Renamed"}]
    assert (await world.call("contributor", "GET", "audit")).status_code == 403
    assert (await world.call("admin", "GET", "audit?from=2999-01-01T00:00:00Z")).json()["results"] == []


async def test_events_are_a_page_without_the_stream_header(world: World) -> None:
    page = (await world.call("admin", "GET", "events?limit=1")).json()
    assert page["results"][0]["action"] == "workspace.created"


class Stream:
    """The server's side of one open event stream, fed as ASGI so that it can be read while it is endless."""

    def __init__(self) -> None:
        self.status = 0
        self.chunks: asyncio.Queue[str] = asyncio.Queue()

    async def events_until(self, text: str) -> list[dict[str, str]]:
        """The events, as their fields, up to one that mentions `text`; comments and hints are left out."""
        found: list[dict[str, str]] = []
        async with asyncio.timeout(60):
            while not found or text not in found[-1]["data"]:
                for block in (await self.chunks.get()).strip().split("\n\n"):
                    fields = dict(line.split(": ", 1) for line in block.splitlines())
                    if "data" in fields:
                        found.append(fields)
        return found


@asynccontextmanager
async def open_stream(app: FastAPI, path: str, **headers: str) -> AsyncGenerator[Stream]:
    """An open GET of `path` that accepts events; closed, as by a client, at the end of the block."""
    stream, gone = Stream(), asyncio.Event()
    sent = [
        (b"accept", b"text/event-stream"),
        *((k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()),
    ]
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "GET",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": sent, "client": ("127.0.0.1", 1), "server": ("localhost", 80), "state": {},
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            stream.status = message["status"]
        elif message.get("body"):
            stream.chunks.put_nowait(message["body"].decode())

    task = asyncio.create_task(app(scope, receive, send))  # type: ignore[arg-type]
    try:
        yield stream
    finally:
        gone.set()
        async with asyncio.timeout(60):
            await task


async def test_a_stream_shows_what_happens_and_resumes_where_it_broke(world: World) -> None:
    path = f"{world.base}/events"
    async with open_stream(world.app, path, authorization="Bearer admin") as stream:
        await stream.chunks.get()
        for name in ("one", "two", "three"):
            await world.call("admin", "PATCH", "", json={"name": name})
        live = await stream.events_until("three")
    assert stream.status == 200
    names = [json.loads(event["data"])["detail"]["name"] for event in live if event["event"] == "workspace.updated"]
    assert names == ["one", "two", "three"]
    async with open_stream(world.app, path, authorization="Bearer admin", last_event_id=live[-2]["id"]) as resumed:
        assert await resumed.events_until("three") == live[-1:]


async def test_a_stream_is_only_for_admins(world: World) -> None:
    refused = await world.call("observer", "GET", "events", headers={"Accept": "text/event-stream"})
    assert refused.status_code == 403
    bad = await world.call("admin", "GET", "events", headers={"Accept": "text/event-stream", "Last-Event-ID": "7"})
    assert bad.status_code == 400
