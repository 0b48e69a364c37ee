"""A really started server: `specloop up` as a child process, as a user would run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx

READY_SECONDS_MAX = 180.0


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(data: Path, port: int, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start `specloop up` on loopback; its log goes to `server.log` in the data folder."""
    data.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "specloop", "up", "--data", str(data), "--listen", f"127.0.0.1:{port}", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SPECLOOP_")}
    with (data / "server.log").open("ab") as log:
        return subprocess.Popen(command, env={**clean, **environment}, stdout=log, stderr=log)


def wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the health route answers.

    Raises: RuntimeError when the process ends first or takes too long.
    """
    deadline = time.monotonic() + READY_SECONDS_MAX
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        try:
            if httpx.get(f"{url}/api/v1/health", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise RuntimeError("the server is not ready in time")


def stop(process: subprocess.Popen[bytes]) -> int:
    """End it politely; returns the exit code."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def started_server(data: Path, *arguments: str, **environment: str) -> Generator[str]:
    """The address of a running server."""
    port = free_port()
    process = spawn(data, port, *arguments, **environment)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        stop(process)
