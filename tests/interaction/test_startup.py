"""A server's life seen from outside: its first start, who may read its files, and how it ends."""

from __future__ import annotations

import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from specloop.kit import json
from tests.engines import ENGINES, PostgresServer
from tests.server import free_port, spawn, wait_until_ready

OWNER = {"email": "owner@test.com", "password": "devpass", "tenant_name": "Test"}
LINK = re.compile(r"http://127\.0\.0\.1:\d+\S*/setup\S*token=(\S+)")
SECONDS_MAX = 30.0


class Server:
    """A started child and what it said so far."""

    def __init__(self, data: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.data = data
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"

    @property
    def said(self) -> str:
        """Everything that all starts in this folder printed."""
        return (self.data / "server.log").read_text("utf-8")

    def wait_for(self, words: str, times: int = 1) -> None:
        """Until it has said `words` so many times."""
        deadline = time.monotonic() + SECONDS_MAX
        while self.said.count(words) < times:
            assert time.monotonic() < deadline, self.said
            time.sleep(0.02)


@contextmanager
def running(data: Path, *arguments: str) -> Generator[Server]:
    """A started server; the test ends it, or it is killed."""
    port = free_port()
    process = spawn(data, port, *arguments)
    try:
        server = Server(data, port, process)
        wait_until_ready(server.url, process)
        yield server
    finally:
        process.kill()
        process.wait()


class HalfSent:
    """A registration whose body has not fully arrived, so that the server is in the middle of it."""

    def __init__(self, port: int) -> None:
        self._rest = json.dumps(OWNER)
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS_MAX)
        head = (
            f"POST /api/v1/auth/register HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self._rest)}\r\nExpect: 100-continue\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        assert b"100 Continue" in self._socket.recv(1024)

    def finish(self) -> bytes:
        """Send the rest; the whole answer."""
        self._socket.sendall(self._rest)
        return self.read()

    def read(self) -> bytes:
        """What the server still says until it closes."""
        answer = b""
        while chunk := self._socket.recv(65536):
            answer += chunk
        self._socket.close()
        return answer


@pytest.fixture(params=ENGINES)
def store(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """The arguments for this state engine."""
    if request.param == "sqlite":
        return ()
    postgres: PostgresServer = request.getfixturevalue("postgres_server")
    return ("--state-url", postgres.url(postgres.create_database()))


def test_the_first_start_offers_ownership_and_an_end_loses_nothing(tmp_path: Path, store: tuple[str, ...]) -> None:
    data = tmp_path / "data"
    with running(data, *store) as server:
        server.wait_for("Make the owner account")
        assert len(LINK.findall(server.said)) == 1
        assert_private(data)
        sent = HalfSent(server.port)
        server.process.send_signal(signal.SIGTERM)
        wait_until_closed(server.port)
        answer = sent.finish()
        assert answer.startswith(b"HTTP/1.1 201"), answer
        assert server.process.wait(SECONDS_MAX) == 0
    with running(data, *store) as server:
        server.wait_for("is ready", 2)
        assert len(LINK.findall(server.said)) == 1, "the owner exists: no second link"
        credentials = {"email": OWNER["email"], "password": OWNER["password"]}
        assert httpx.post(f"{server.url}/api/v1/auth/login", json=credentials, timeout=30).status_code == 200
        assert "Traceback" not in server.said
        end_by_second_signal(server)


def test_the_link_of_the_first_start_makes_the_owner_once(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        server.wait_for("Make the owner account")
        (token,) = LINK.findall(server.said)
        with httpx.Client(base_url=server.url, timeout=30) as client:
            owner = {**OWNER, "invite_token": token}
            assert client.post("/api/v1/auth/register", json=owner).status_code == 201
            again = client.post("/api/v1/auth/register", json={**owner, "email": "second@test.com"})
            assert again.status_code == 400, again.text


def end_by_second_signal(server: Server) -> None:
    """A request that never finishes does not hold a server that was told twice."""
    held = HalfSent(server.port)
    server.process.send_signal(signal.SIGTERM)
    wait_until_closed(server.port)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(SECONDS_MAX)
    assert '"forced": true' in server.said
    assert "listener.cut_off" not in server.said, "it waited for the grace time"
    assert b"201" not in held.read()


def assert_private(data: Path) -> None:
    """Nobody else may enter the folder; secrets stay unreadable even if it were opened up."""
    assert mode(data) == 0o700
    for name in ("secret.key", "token-signing.json", "tls/server.key"):
        assert mode(data / name) == 0o600, name


def mode(path: Path) -> int:
    """The permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def wait_until_closed(port: int) -> None:
    """Until nobody accepts connections any more."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError("the server still accepts connections")
