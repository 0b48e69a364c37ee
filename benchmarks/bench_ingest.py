"""Spans per second from an OTLP request to durable and visible, beside a bare sink that gets the same bodies.

Spans of 5 KB with GenAI attributes, 200 per request, 4 connections. The bare sink decodes a body and commits it to
SQLite, nothing else: no server can do less and still answer for the data.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from starlette.requests import HTTPConnection

from specloop.db.blobs import BlobStore
from specloop.db.database import Database
from specloop.db.migrations import migrate
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import SystemClock
from specloop.kit.context import CredentialKind, Principal
from specloop.record.traces import TraceIntake
from specloop.record.traces.assembly import assemble
from specloop.record.traces.repository.inbox import stored_bytes
from specloop.transport.guard import Admission
from specloop.transport.routing import Door

WORKSPACE = "00000000-0000-7000-8000-000000000001"
SPANS_PER_REQUEST = 200
SPAN_BYTES = 5_000
CONNECTIONS = 4
SPANS_PER_SECOND_MIN = 5_000
RUNS = 3
WAIT_SECONDS_MAX = 120.0
HEADERS = {"content-type": "application/x-protobuf", "authorization": "Bearer bench"}
DISK_SQL = """
SELECT sum(bytes_on_disk) AS bytes FROM system.parts
WHERE active AND database = currentDatabase() AND toString({workspace_id:UUID}) != ''
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One sink: time until acknowledged and until visible, CPU of the server, latency of requests."""

    name: str
    spans: int
    acknowledged_seconds: float
    visible_seconds: float
    cpu_seconds: float
    p99_ms: float

    @property
    def spans_per_second(self) -> float:
        """Until durable and visible."""
        return self.spans / self.visible_seconds


class Gate:
    """Everybody is the one key of the one workspace."""

    async def authenticate(self, connection: HTTPConnection, audiences: frozenset[str] = frozenset()) -> Principal:
        """The key."""
        scopes = frozenset({"write:traces", "read:workspace"})
        return Principal("bench", CredentialKind.API_KEY, key_id="k", workspace_id=WORKSPACE, scopes=scopes)

    async def enter(self, principal: Principal, workspace_id: str) -> Principal:
        """There is one workspace."""
        return principal

    async def enter_default(self, principal: Principal) -> Principal:
        """There is one workspace."""
        return principal

    async def admit(self, principal: Principal, client_ip: str, budget: object = None) -> Admission:
        """No limit."""
        return Admission(1, 1, 1)


async def serve(folder: Path) -> None:
    """Serve both sinks on a free port and print it."""
    database = await Database.open(f"sqlite:///{folder / 'state.db'}")
    await migrate(database)
    telemetry = await TelemetryStore.open(f"chdb://{folder / 'telemetry'}")
    intake = TraceIntake(database, telemetry, SystemClock())
    app = FastAPI()
    app.state.door = Door(database, Gate(), SystemClock())
    traces = assemble(telemetry, BlobStore.open(f"file://{folder / 'blobs'}"), intake)
    app.state.services = traces.services
    for router in traces.routers:
        app.include_router(router)
    _add_bare_sink(app, folder / "bare.db")

    async def disk() -> Response:
        rows = await telemetry.query(DISK_SQL, workspace_id=WORKSPACE)
        return Response(str(rows[0]["bytes"]))

    async def waiting() -> Response:
        async with database.reading(ALL_WORKSPACES) as unit:
            return Response(str(await stored_bytes(unit)))

    app.add_api_route("/disk", disk)
    app.add_api_route("/waiting", waiting)
    intake.start()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        await uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off")).serve([listening])
    await intake.stop()
    await telemetry.close()
    await database.close()


def _add_bare_sink(app: FastAPI, path: Path) -> None:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE bodies (body BLOB)")

    def store(body: bytes) -> None:
        ExportTraceServiceRequest.FromString(body)
        connection.execute("INSERT INTO bodies VALUES (?)", (body,))

    async def bare(request: Request) -> Response:
        store(await request.body())
        return Response(status_code=200)

    app.add_api_route("/bare", bare, methods=["POST"])


def make_bodies(
    count: int, seed: int, spans: int = SPANS_PER_REQUEST, span_bytes: int = SPAN_BYTES, corpus: str = ""
) -> list[bytes]:
    """Requests of `spans` GenAI spans of about `span_bytes`; each trace has ten spans and every text is its own.

    Texts are passages of `corpus`; without one they are words in no order, which shrink less than any language.
    """
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(4_000)]

    def text() -> str:
        if not corpus:
            return " ".join(rng.choices(words, k=span_bytes * 128 // 1_000))
        start = rng.randrange(max(1, len(corpus) - span_bytes))
        return corpus[start : start + span_bytes]

    return [_body(rng, text, spans, span_bytes) for _ in range(count)]


def read_corpus(folder: Path) -> str:
    """All Markdown below a folder, such as recorded sessions, as one text."""
    return "\n".join(path.read_text("utf-8", "replace") for path in sorted(folder.rglob("*.md")))


def _body(rng: random.Random, text_of: Callable[[], str], count: int, span_bytes: int) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend([_attribute("service.name", "bench"), _attribute("host.name", "local")])
    spans = group.scope_spans.add().spans
    trace_id, root_id = b"", b""
    for number in range(count):
        is_root = number % 10 == 0
        trace_id = rng.randbytes(16) if is_root else trace_id
        span_id = rng.randbytes(8)
        root_id = span_id if is_root else root_id
        start = time.time_ns() - rng.randrange(10**10)
        text = text_of()
        span = spans.add(
            trace_id=trace_id,
            span_id=span_id,
            parent_span_id=b"" if is_root else root_id,
            name="chat small-model",
            start_time_unix_nano=start,
            end_time_unix_nano=start + rng.randrange(10**9),
        )
        span.attributes.extend(_attribute(key, value) for key, value in _genai(rng, text, span_bytes).items())
    return request.SerializeToString()


def _genai(rng: random.Random, text: str, span_bytes: int) -> dict[str, str | int | float]:
    question, answer = text[: span_bytes * 6 // 10], text[span_bytes * 6 // 10 : span_bytes * 82 // 100]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "local",
        "gen_ai.request.model": "small-model",
        "gen_ai.response.model": "small-model-1",
        "gen_ai.usage.input_tokens": rng.randrange(5_000),
        "gen_ai.usage.output_tokens": rng.randrange(900),
        "gen_ai.agent.name": "router",
        "gen_ai.conversation.id": f"c{rng.randrange(500)}",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.max_tokens": 1_024,
        "gen_ai.response.id": rng.randbytes(12).hex(),
        "gen_ai.response.finish_reasons": "stop",
        "server.address": "127.0.0.1",
        "server.port": 443,
        "user.id": f"u{rng.randrange(99)}",
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": question}]}]),
        "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": [{"type": "text", "content": answer}]}]),
    }


def _attribute(key: str, value: str | float) -> KeyValue:
    match value:
        case str():
            return KeyValue(key=key, value=AnyValue(string_value=value))
        case int():
            return KeyValue(key=key, value=AnyValue(int_value=value))
        case _:
            return KeyValue(key=key, value=AnyValue(double_value=value))


class Target:
    """The serving process as the measuring one sees it."""

    def __init__(self, port: int, pid: int, headers: Mapping[str, str] = HEADERS) -> None:
        self._port = port
        self._pid = pid
        self._headers = dict(headers)

    def post_all(self, path: str, bodies: Sequence[bytes]) -> list[float]:
        """Send all bodies over CONNECTIONS connections; the seconds that each took. Raises: RuntimeError."""
        shares = [bodies[start::CONNECTIONS] for start in range(CONNECTIONS)]
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            taken = pool.map(partial(self._post_share, path), shares)
            return [seconds for share in taken for seconds in share]

    def _post_share(self, path: str, bodies: Sequence[bytes]) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        taken: list[float] = []
        for body in bodies:
            started = time.perf_counter()
            connection.request("POST", path, body, self._headers)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise RuntimeError(f"{path} answered {response.status}")
            taken.append(time.perf_counter() - started)
        connection.close()
        return taken

    def get(self, path: str) -> bytes:
        """The body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port)
        connection.request("GET", path, headers=self._headers)
        body = connection.getresponse().read()
        connection.close()
        return body

    def wait_until_visible(self) -> None:
        """Until no acknowledged request is left in the inbox. Raises: TimeoutError."""
        deadline = time.perf_counter() + WAIT_SECONDS_MAX
        while int(self.get("/waiting")):
            if time.perf_counter() > deadline:
                raise TimeoutError("the spans did not become visible")
            time.sleep(0.02)

    def cpu_seconds(self) -> float:
        """User and system time of the process so far."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_mb(self) -> float:
        """Resident memory."""
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def count(self) -> int:
        """Spans that a reader sees."""
        return json.loads(self.get(f"/api/v1/workspaces/{WORKSPACE}/traces/stats"))["spans"]


def measure(target: Target, name: str, path: str, bodies: Sequence[bytes]) -> Measured:
    """Send `bodies` to one sink and wait until they are visible there."""
    cpu, started = target.cpu_seconds(), time.perf_counter()
    latencies = sorted(target.post_all(path, bodies))
    acknowledged = time.perf_counter() - started
    if path != "/bare":
        target.wait_until_visible()
    return Measured(
        name,
        len(bodies) * SPANS_PER_REQUEST,
        acknowledged,
        time.perf_counter() - started,
        target.cpu_seconds() - cpu,
        latencies[int(len(latencies) * 0.99)] * 1_000,
    )


@contextmanager
def serving(folder: Path) -> Generator[Target]:
    """The server in a process of its own."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__)), "--serve", str(folder)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Target(int(process.stdout.readline()), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def table(rows: Sequence[Measured]) -> str:
    """The rows beside the limit."""
    lines = [f"{'sink':12} {'spans':>7} {'ack/s':>8} {'visible/s':>10} {'CPU s/10k':>10} {'p99 ms':>8}"]
    lines += [
        f"{row.name:12} {row.spans:7d} {row.spans / row.acknowledged_seconds:8.0f} {row.spans_per_second:10.0f} "
        f"{row.cpu_seconds / row.spans * 10_000:10.2f} {row.p99_ms:8.1f}"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table; 0 when the floor holds, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=60, help="requests per run")
    parser.add_argument("--texts", type=Path, metavar="FOLDER", help="take texts from the Markdown files below it")
    parser.add_argument("--serve", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve(Path(options.serve)))
        return 0
    corpus = read_corpus(options.texts) if options.texts else ""
    pairs: list[tuple[Measured, Measured]] = []
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as target:
        measure(target, "warm-up", "/otel/v1/traces", make_bodies(4, seed=0, corpus=corpus))
        for run in range(RUNS):
            bodies = make_bodies(options.requests, seed=run + 1, corpus=corpus)
            bare = measure(target, "bare sink", "/bare", bodies)
            pairs.append((bare, measure(target, "specloop", "/otel/v1/traces", bodies)))
        seen, disk, resident = target.count(), int(target.get("/disk")), target.resident_mb()
    sent = (4 + RUNS * options.requests) * SPANS_PER_REQUEST
    bare, ours = sorted(pairs, key=lambda pair: pair[1].spans_per_second)[RUNS // 2]
    print(table([bare, ours]))
    print(f"ratio to the bare sink: {ours.spans_per_second / bare.spans_per_second:.2f} in spans/s, ", end="")
    print(f"{ours.cpu_seconds / max(bare.cpu_seconds, 0.01):.1f} in CPU")
    print(f"{disk / sent:.0f} bytes per span on disk of {SPAN_BYTES}; {resident:.0f} MB resident after the runs")
    print(f"floor: {SPANS_PER_SECOND_MIN} spans/s durable and visible; seen {seen} of {sent} spans sent")
    return 0 if seen == sent and ours.spans_per_second >= SPANS_PER_SECOND_MIN else 1


if __name__ == "__main__":
    raise SystemExit(main())
