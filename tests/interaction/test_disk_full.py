"""The disk fills up under a working server: it refuses politely, stays up, keeps what it took, and recovers alone.

The disks are small tmpfs mounts, so these tests need the right to mount (root, as in CI's containers).
"""

from __future__ import annotations

import secrets
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import GENEROUS
from tests.interaction.tenant import Tenant, register
from tests.server import started_server

DISK = "192m"
RECOVERY_SECONDS_MAX = 60.0
LARGE = 200_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.fail(f"this test must mount a small tmpfs and may not: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def filled(disk: Path) -> Generator[None]:
    """No byte is free while the block runs."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(b"\1" * size)
            except OSError:
                continue
    try:
        yield
    finally:
        ballast.unlink()


def wait_until(condition: Callable[[], bool]) -> None:
    """Until it holds, or fail."""
    deadline, pause = time.monotonic() + RECOVERY_SECONDS_MAX, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "the server did not recover"
        pause.wait(0.1)


class Sender:
    """Uploads sessions and sends spans, and remembers what was acknowledged."""

    def __init__(self, url: str, tenant: Tenant) -> None:
        self.tenant = tenant
        self.key = tenant.make_key()
        self.url = url
        self.sessions: dict[str, str] = {}
        self.traces: set[str] = set()

    def upload(self, size: int = LARGE) -> httpx.Response:
        """Put a session that compression cannot make small."""
        session_id, text = secrets.token_hex(8), secrets.token_hex(size)
        body = {"projectName": "p", "name": "n", "markdown": text, "rawData": "{}"}
        answer = self.tenant.client.put(f"/api/v1/projects/p/sessions/{session_id}", json=body)
        if answer.is_success:
            self.sessions[session_id] = text
        return answer

    def send(self) -> httpx.Response:
        """Send a trace."""
        trace_id, now = secrets.token_hex(16), time.time_ns()
        span = {
            "traceId": trace_id,
            "spanId": secrets.token_hex(8),
            "name": secrets.token_hex(2_000),
            "startTimeUnixNano": str(now),
            "endTimeUnixNano": str(now + 1),
        }
        body: dict[str, Any] = {"resourceSpans": [{"resource": {}, "scopeSpans": [{"spans": [span]}]}]}
        headers = {"authorization": f"Bearer {self.key}"}
        answer = httpx.post(f"{self.url}/otel/v1/traces", json=body, headers=headers, timeout=60)
        if answer.is_success:
            self.traces.add(trace_id)
        return answer

    def health(self) -> dict[str, Any]:
        """What the public health route says."""
        return httpx.get(f"{self.url}/api/v1/health", timeout=60).json()

    def stored_sessions(self) -> dict[str, str]:
        """Every stored session with its markdown."""
        listed = self.tenant.client.get("/api/v1/projects/p/sessions").raise_for_status().json()["data"]["sessions"]
        ids = [one["clientId"] for one in listed]
        assert len(ids) == len(set(ids))
        return {one: self.markdown(one) for one in ids}

    def markdown(self, session_id: str) -> str:
        """A session's document."""
        headers = {"accept": "text/markdown"}
        answer = self.tenant.client.get(f"/api/v1/projects/p/sessions/{session_id}", headers=headers)
        return answer.raise_for_status().text

    def readable_traces(self) -> dict[str, int]:
        """Each readable trace with the number of its spans."""
        page = self.tenant.client.get(f"{self.tenant.path}/traces", params={"limit": "100"}).raise_for_status().json()
        return {one["trace_id"]: one["span_count"] for one in page["results"]}

    def assert_all_there(self) -> None:
        """What was acknowledged is stored, once and whole, and nothing else is."""
        assert self.stored_sessions() == self.sessions
        wait_until(lambda: self.readable_traces().keys() == self.traces)
        assert set(self.readable_traces().values()) == {1}


def test_a_full_disk_refuses_each_sender_in_its_own_words_and_loses_nothing(small_disk: Path) -> None:
    with started_server(small_disk / "data", **GENEROUS) as url, register(url, "full@test.com") as tenant:
        sender = Sender(url, tenant)
        assert sender.upload().status_code == 201
        assert sender.send().status_code == 200
        wait_until(lambda: bool(sender.readable_traces()))
        with filled(small_disk):
            refused = [sender.upload() for _ in range(3)]
            assert {answer.status_code for answer in refused} == {503}
            assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
            assert refused[0].json()["success"] is False
            assert "disk is full" in refused[0].json()["error"]
            spans = sender.send()
            assert (spans.status_code, spans.json()["code"]) == (503, 14)
            assert int(spans.headers["retry-after"]) > 0
            room = tenant.client.post("/api/v1/workspaces", json={"name": "r" * 90})
            assert (room.status_code, room.json()["status"]) == (503, 503)
            assert sender.health()["checks"] == {"db": "ok", "store": "ok", "disk": "failed"}
            assert sender.stored_sessions() == sender.sessions  # what is there can still be read
        wait_until(lambda: sender.upload().status_code == 201)
        wait_until(lambda: sender.send().status_code == 200)
        assert sender.health()["status"] == "ok"
        sender.assert_all_there()


def test_spans_wait_in_the_state_store_while_the_telemetry_disk_is_full(small_disk: Path, tmp_path: Path) -> None:
    dsn = f"chdb://{small_disk / 'telemetry'}"
    data = tmp_path / "data"
    with started_server(data, "--telemetry-url", dsn, **GENEROUS) as url, register(url, "wait@test.com") as tenant:
        sender = Sender(url, tenant)
        assert sender.send().status_code == 200
        wait_until(lambda: sender.readable_traces().keys() == sender.traces)
        with filled(small_disk):
            answers = [sender.send().status_code for _ in range(20)]
            assert set(answers) == {200}  # they are safe where they wait
            wait_until(lambda: b"drain.delayed" in (data / "server.log").read_bytes())
            assert sender.upload().status_code == 201
            assert len(sender.readable_traces()) < len(sender.traces)
        sender.assert_all_there()
