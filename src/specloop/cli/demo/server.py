"""A server of the demo's own, as a child process with its own data folder."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from specloop.errors import StartupError

READY_SECONDS_MAX = 180.0
STOP_SECONDS_MAX = 30.0


class DemoServerFailed(StartupError):
    """The demo's server did not start; its log says why."""

    code = "demo-server-failed"


@dataclass(frozen=True, slots=True)
class DemoServer:
    """A running child."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_server(data: Path, port: int) -> Generator[DemoServer]:
    """Start `specloop up` on loopback and stop it at the end.

    Raises: DemoServerFailed.
    """
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    port = port if _is_free(port) else _free_port()
    log = data / "server.log"
    command = [sys.executable, "-m", "specloop", "up", "--data", str(data), "--listen", f"127.0.0.1:{port}"]
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)  # noqa: S603  (our own program)
    server = DemoServer(f"http://127.0.0.1:{port}", process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(server: DemoServer) -> None:
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            if httpx.get(f"{server.url}/api/v1/health", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    tail = "\n".join(server.log.read_text("utf-8", "replace").splitlines()[-5:])
    raise DemoServerFailed(f"the demo's server did not start; {server.log} ends with:\n{tail}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
