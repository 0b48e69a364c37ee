"""`kill -9` at seeded moments while spans come in and a scan runs: nothing acknowledged is lost or doubled.

`KILLS=20` in the environment makes the loop as long as the acceptance run; the suite uses fewer to stay quick.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from specloop.testing.datasets.bfcl import baseline_config, load_b1
from tests.conftest import GENEROUS
from tests.interaction.tenant import Tenant, register
from tests.server import free_port, spawn, stop, wait_until_ready

KILLS = int(os.environ.get("KILLS", "3"))
SPANS_PER_TRACE = 5
SCAN_SECONDS_MAX = 240.0


class Server:
    """A server that is killed and started again on the same folder and port."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = spawn(self.data, self.port, **GENEROUS)
        wait_until_ready(self.url, process)
        return process

    def kill_and_restart(self) -> None:
        """End it without warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process = self._start()


class Sender(threading.Thread):
    """Sends traces as fast as they are answered and remembers which were acknowledged."""

    def __init__(self, url: str, key: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged: set[str] = set()
        self.ended = threading.Event()
        self._url = url
        self._key = key

    def run(self) -> None:
        """Until told to end; a server that is down is tried again."""
        headers = {"authorization": f"Bearer {self._key}"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=30) as client:
            while not self.ended.is_set():
                trace_id = secrets.token_hex(16)
                try:
                    answer = client.post("/otel/v1/traces", json=request(trace_id))
                except httpx.HTTPError:
                    self.ended.wait(0.05)
                    continue
                if answer.status_code == 200:
                    self.acknowledged.add(trace_id)


def request(trace_id: str) -> dict[str, Any]:
    """An OTLP request with one trace."""
    now = time.time_ns()
    spans = [
        {
            "traceId": trace_id,
            "spanId": secrets.token_hex(8),
            "name": f"step {number}",
            "kind": 1,
            "startTimeUnixNano": str(now),
            "endTimeUnixNano": str(now + 1_000_000),
        }
        for number in range(SPANS_PER_TRACE)
    ]
    return {"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {"name": "kill"}, "spans": spans}]}]}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """On SQLite and chDB: the engines that live in the process that is killed."""
    started = Server(tmp_path)
    yield started
    stop(started.process)


def start_scan(tenant: Tenant) -> str:
    """A scan of the tool router on part of B1."""
    body = {"name": "Router", "runtime": {"kind": "tool-router"}, "config": baseline_config()}
    agent = tenant.post("/agents", body)
    samples = tenant.post("/samples/sets", {"name": "B1"})
    path = f"/samples/sets/{samples['id']}"
    tasks = load_b1()[::3]
    for start in range(0, len(tasks), 200):
        items = [{"input": task.input, "reference": task.reference} for task in tasks[start : start + 200]]
        tenant.post(f"{path}/items", {"items": items})
    tenant.post(f"{path}/split", {}, status=200)
    dimension = {"key": "right_tool", "judge": {"kind": "code", "ref": "tool_call"}}
    rubric = tenant.post("/evaluations/rubrics", {"name": "Tool", "dimensions": [dimension]})
    objective = tenant.post("/evaluations/objectives", {"name": "Accuracy", "terms": [{"rubric_id": rubric["id"]}]})
    wish = {"agent_id": agent["id"], "objective_id": objective["id"], "sample_set_id": samples["id"], "seed": 1}
    return tenant.post("/scans", wish, status=202)["id"]


def spans_by_trace(tenant: Tenant, workspace: str) -> dict[str, int]:
    """How many spans each readable trace has."""
    found: dict[str, int] = {}
    cursor: str | None = None
    while True:
        parameters = {"limit": "100", "count": "false", **({"cursor": cursor} if cursor else {})}
        page = tenant.client.get(f"{workspace}/traces", params=parameters).raise_for_status().json()
        found.update({trace["trace_id"]: trace["span_count"] for trace in page["results"]})
        cursor = page["pagination"].get("next_cursor")
        if cursor is None:
            return found


def wait_for_scan(tenant: Tenant, scan_id: str) -> dict[str, Any]:
    """The scan once it has ended."""
    deadline = time.monotonic() + SCAN_SECONDS_MAX
    pause = threading.Event()
    while time.monotonic() < deadline:
        scan = tenant.client.get(f"{tenant.path}/scans/{scan_id}").raise_for_status().json()
        if scan["status"] in {"completed", "failed", "cancelled"}:
            return scan
        pause.wait(0.5)
    raise AssertionError("the scan did not end")


def test_nothing_acknowledged_is_lost_and_the_scan_ends(server: Server) -> None:
    chance = random.Random(20)
    with register(server.url, "kill@test.com") as tenant:
        made = tenant.client.post("/api/v1/workspaces", json={"name": "Spans"}).raise_for_status().json()
        workspace = f"/api/v1/workspaces/{made['id']}"
        key = tenant.client.post(f"{workspace}/keys", json={"name": "sender"}).raise_for_status().json()["key"]
        sender = Sender(server.url, key)
        sender.start()
        scan_id = start_scan(tenant)
        for _ in range(KILLS):
            sender.ended.wait(chance.uniform(0.2, 6.0))
            server.kill_and_restart()
        scan = wait_for_scan(tenant, scan_id)
        sender.ended.set()
        sender.join()
        assert scan["status"] == "completed", scan.get("error")
        assert len(sender.acknowledged) > KILLS
        deadline = time.monotonic() + 60
        found = spans_by_trace(tenant, workspace)
        while not sender.acknowledged <= found.keys() and time.monotonic() < deadline:
            found = spans_by_trace(tenant, workspace)
        assert sender.acknowledged <= found.keys()
        assert {found[trace_id] for trace_id in sender.acknowledged} == {SPANS_PER_TRACE}
