"""Requests per second and p99 of small routes at 16 connections on one process, measured with wrk.

By itself it measures the listener with a bare application: plain, over TLS, and behind the whole edge. With `--url`
(and `--token`) it measures any route of a running server beside the bare one, so that it can be read as a ratio.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.types import Receive, Scope, Send

from specloop.app.listener import Hooks, ListenerOptions, run, serve
from specloop.errors import SpecloopError
from specloop.kit.clock import SystemClock
from specloop.kit.log import configure
from specloop.transport.edge import EdgePolicy, RenderedError, wrap
from specloop.transport.net import ListenAddress, bind
from specloop.transport.tls import OwnCertificate, ServerTLS, own_names

CONNECTIONS = 16
REQUESTS_PER_SECOND_MIN = 1500
P99_MS_MAX = 25.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table."""

    name: str
    requests_per_second: float
    p99_ms: float
    failures: int


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """The least an application can do: 200 and two bytes."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


def serve_bare(folder: Path) -> None:
    """Serve the bare application, and on a second port the same behind the edge; print the ports as JSON."""
    configure("console", "warning")
    tls = ServerTLS(OwnCertificate(folder, own_names([])), SystemClock())
    behind_edge = wrap(bare, EdgePolicy(render_error=_render))

    async def choose(scope: Scope, receive: Receive, send: Send) -> None:
        is_edge = scope["type"] == "http" and scope["server"][1] == ports[1]
        await (behind_edge if is_edge else bare)(scope, receive, send)

    sockets = bind([ListenAddress("127.0.0.1", 0), ListenAddress("127.0.0.1", 0)])
    ports = [int(sock.getsockname()[1]) for sock in sockets]
    ready = Hooks(ready=lambda _: print(json.dumps(ports), flush=True))
    run(lambda: serve(choose, sockets, ListenerOptions(tls=tls.context), ready))


def measure(name: str, url: str, seconds: int, token: str | None = None) -> Measured:
    """The median of three runs of wrk against `url`, by p99. Raises: CalledProcessError when wrk cannot reach it."""
    return sorted((_measure_once(name, url, seconds, token) for _ in range(3)), key=lambda run: run.p99_ms)[1]


def _measure_once(name: str, url: str, seconds: int, token: str | None) -> Measured:
    headers = ["-H", f"Authorization: Bearer {token}"] if token else []
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", "--latency", *headers]
    said = subprocess.run([*command, f"-d{seconds}", url], check=True, capture_output=True, text=True).stdout
    return Measured(name, _number(r"Requests/sec:\s+([\d.]+)", said), _p99_ms(said), _failures(said))


def table(rows: list[Measured]) -> str:
    """The rows beside the limits; ratios are to the first row."""
    lines = [f"{'route':40} {'req/s':>9} {'ratio':>7} {'p99 ms':>8} {'failed':>7}  limits"]
    for row in rows:
        ratio = row.requests_per_second / rows[0].requests_per_second
        verdict = "ok" if is_within_limits(row) else "MISSED"
        lines.append(
            f"{row.name:40} {row.requests_per_second:9.0f} {ratio:7.2f} {row.p99_ms:8.2f} {row.failures:7d}  {verdict}"
        )
    lines.append(f"limits: at least {REQUESTS_PER_SECOND_MIN} req/s, p99 at most {P99_MS_MAX:.0f} ms, nothing failed")
    return "\n".join(lines)


def is_within_limits(row: Measured) -> bool:
    """Whether a row keeps the promise."""
    return row.requests_per_second >= REQUESTS_PER_SECOND_MIN and row.p99_ms <= P99_MS_MAX and row.failures == 0


def main(arguments: list[str] | None = None) -> int:
    """Measure, print the table; 0 when all limits hold, 1 when one is missed, 2 when nothing could be measured."""
    options = _parser().parse_args(arguments)
    if options.serve:
        serve_bare(Path(options.serve))
        return 0
    if shutil.which("wrk") is None:
        print("wrk is not installed, so requests per second were NOT measured (Debian: apt-get install wrk)")
        return 2
    with _bare_server() as (plain, edge):
        rows = [
            measure("bare application", f"http://127.0.0.1:{plain}/", options.seconds),
            measure("bare application over TLS", f"https://127.0.0.1:{plain}/", options.seconds),
            measure("bare application behind the edge", f"http://127.0.0.1:{edge}/", options.seconds),
        ]
    rows += [measure(url.partition("://")[2][:40], url, options.seconds, options.token) for url in options.url]
    print(table(rows))
    return 0 if all(map(is_within_limits, rows)) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", action="append", default=[], help="a route of a running server; may be repeated")
    parser.add_argument("--token", help="sent as Authorization: Bearer to every --url")
    parser.add_argument("--seconds", type=int, default=2, help="how long each of the three runs lasts")
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    return parser


@contextmanager
def _bare_server() -> Generator[tuple[int, int]]:
    # A process of its own: wrk and the server must not share an interpreter.
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__)), "--serve", folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield _ports(process)
            finally:
                process.terminate()
                process.wait(10)


def _ports(process: subprocess.Popen[str]) -> tuple[int, int]:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("["):
            plain, edge = json.loads(line)
            return plain, edge
    raise RuntimeError("the bare server did not start")


def _render(scope: Scope, error: SpecloopError) -> RenderedError:
    return error.status, [], error.detail.encode()


def _number(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    return float(match[1]) if match else 0.0


def _p99_ms(text: str) -> float:
    match = re.search(r"99%\s+([\d.]+)(us|ms|s)", text)
    if match is None:
        return float("inf")
    return float(match[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[match[2]]


def _failures(text: str) -> int:
    refused = int(_number(r"Non-2xx or 3xx responses: (\d+)", text))
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    return refused + (sum(map(int, broken.groups())) if broken else 0)


if __name__ == "__main__":
    raise SystemExit(main())
