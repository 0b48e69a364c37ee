"""Memory of a server under mixed load: spans, sessions, searches, trace reads, GraphQL and pages all the time.

The load is bounded (about `RATE` rounds a second) and the same all along, so that what grows is the server. Half of
the time is warm-up: caches and the telemetry engine's pools fill. The target is meant for `--minutes 60`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.bench_ingest import make_bodies
from benchmarks.bench_sessions import PROJECT, bodies
from benchmarks.bench_start import resident_mb
from tests.server import free_port, spawn, wait_until_ready

MINUTES = 4.0
RATE = 2.0
SPANS_PER_REQUEST = 50
SESSIONS = 400
"""Different sessions; later uploads of the same one change nothing or go on with it, as a running agent's do."""

SIGN_IN_SECONDS = 300.0
GROWTH_MAX = 0.05
PASSWORD = "benchmark"
UNLIMITED = {"SPECLOOP_RATE_USER_PER_MINUTE": "1000000", "SPECLOOP_RATE_KEY_PER_MINUTE": "1000000"}
WORDS = ("parser", "cache warm", '"nested brackets"', "tok", "unicode -cache", "every test explains")
PAGES = ("", "/sessions", "/projects", "/traces", "/analytics", "/agents", "/scans", "/settings", "/sessions?q=parser")
QUERY = 'query { searchSessions(query: "parser", limit: 10) { total results { id name rank } } }'


@dataclass(slots=True)
class Seen:
    """What the load came to."""

    megabytes: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])
    answers: dict[int, int] = field(default_factory=dict[int, int])
    milliseconds: list[float] = field(default_factory=list[float])

    def between(self, first: float, last: float) -> float:
        """The median memory between two shares of the time."""
        whole = self.megabytes[-1][0]
        return statistics.median(size for at, size in self.megabytes if first <= at / whole <= last)


class Load:
    """The clients: a person in a browser, a device that syncs, an exporter of spans."""

    def __init__(self, url: str, seen: Seen) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=60)
        self._browser = httpx.AsyncClient(base_url=url, timeout=60, follow_redirects=True)
        self._seen = seen
        self._signed_in_at = 0.0
        self._person: dict[str, str] = {}
        self._device: dict[str, str] = {}
        self._exporter: dict[str, str] = {}
        self._workspace = ""
        self._refresh = ""

    async def prepare(self) -> None:
        """An account, a key, a linked device."""
        person = {"email": "bench@test.com", "password": PASSWORD, "tenant_name": "Bench"}
        account = (await self._http.post("/api/v1/auth/register", json=person)).raise_for_status().json()
        self._workspace = f"/api/v1/workspaces/{account['workspace_id']}"
        self._person = {"authorization": f"Bearer {account['access_token']}"}
        key = await self._http.post(f"{self._workspace}/keys", json={"name": "bench"}, headers=self._person)
        self._exporter = {"authorization": f"Bearer {key.raise_for_status().json()['key']}"}
        made = (await self._http.post("/api/v1/auth/device-codes", headers=self._person)).raise_for_status().json()
        code = {"device_code": made["code"].replace("-", ""), "hostname": "bench", "client": "specstory-cli"}
        self._refresh = (
            (await self._http.post("/api/v1/device-login", json=code)).raise_for_status().json()["refreshToken"]
        )

    async def sign_in(self) -> None:
        """Fresh tokens and cookies, as clients take them when the old ones end."""
        if time.monotonic() - self._signed_in_at < SIGN_IN_SECONDS:
            return
        self._signed_in_at = time.monotonic()
        person = {"email": "bench@test.com", "password": PASSWORD}
        tokens = (await self._http.post("/api/v1/auth/login", json=person)).raise_for_status().json()
        self._person = {"authorization": f"Bearer {tokens['access_token']}"}
        fresh = await self._http.post("/api/v1/device-refresh", headers={"Authorization": f"Bearer {self._refresh}"})
        self._device = {"authorization": f"Bearer {fresh.raise_for_status().json()['accessToken']}"}
        await self._browser.post("/login", data=person)

    async def round(self, number: int) -> None:
        """One of everything."""
        await self.sign_in()
        await asyncio.gather(self._record(number), self._read(number))

    async def _record(self, number: int) -> None:
        body = make_bodies(1, number, SPANS_PER_REQUEST)[0]
        headers = {**self._exporter, "content-type": "application/x-protobuf"}
        await self._ask(lambda: self._http.post("/otel/v1/traces", content=body, headers=headers))
        session_id, body, _ = _session(number % SESSIONS)
        headers = {**self._device, "content-type": "application/json", "content-encoding": "gzip"}
        path = f"/api/v1/projects/{PROJECT}/sessions/{session_id}"
        await self._ask(lambda: self._http.put(path, content=body, headers=headers))

    async def _read(self, number: int) -> None:
        traces = await self._ask(lambda: self._get("/traces", limit=20))
        if items := traces.get("items"):
            await self._ask(lambda: self._get(f"/traces/{items[number % len(items)]['trace_id']}"))
        if number % 5 == 0:
            await self._ask(lambda: self._get("/traces/stats"))
            await self._ask(lambda: self._get("/traces", text="refactor", limit=20))
        word = WORDS[number % len(WORDS)]
        await self._ask(lambda: self._http.post("/api/v1/graphql", json={"query": QUERY}, headers=self._person))
        search = {"q": word}
        await self._ask(lambda: self._http.get("/api/v1/search", params=search, headers=self._person))
        page = f"/app/w/{self._workspace.rpartition('/')[2]}{PAGES[number % len(PAGES)]}"
        await self._ask(lambda: self._browser.get(page))

    def _get(self, path: str, **parameters: Any) -> Awaitable[httpx.Response]:
        return self._http.get(f"{self._workspace}{path}", params=parameters, headers=self._person)

    async def _ask(self, send: Callable[[], Awaitable[httpx.Response]]) -> dict[str, Any]:
        started = time.perf_counter()
        answer = await send()
        self._seen.milliseconds.append((time.perf_counter() - started) * 1_000)
        self._seen.answers[answer.status_code] = self._seen.answers.get(answer.status_code, 0) + 1
        if answer.is_error:
            print(answer.request.method, answer.request.url, answer.status_code, flush=True)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return json.loads(answer.content) if is_json and answer.is_success else {}

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()
        await self._browser.aclose()


_SESSIONS: list[tuple[str, bytes, int]] = []


def _session(number: int) -> tuple[str, bytes, int]:
    if not _SESSIONS:
        _SESSIONS.extend(bodies(SESSIONS))
    return _SESSIONS[number]


async def run(url: str, pid: int, minutes: float, seen: Seen) -> None:
    """Keep the load up and note the memory every second."""
    load = Load(url, seen)
    await load.prepare()
    started = time.monotonic()
    for number in itertools.count():
        due = started + number / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        at = time.monotonic() - started
        if at > minutes * 60:
            break
        await load.round(number)
        seen.megabytes.append((at, resident_mb(pid)))
        if number % round(RATE * 60) == 0:
            print(
                f"{at / 60:5.1f} min {seen.megabytes[-1][1]:8.0f} MiB {sum(seen.answers.values()):8d} answers",
                flush=True,
            )
    await load.close()


def main() -> int:
    """Print memory over time; 0 when the last quarter is no more than 5 % above the third."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    options = parser.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        process = spawn(Path(folder) / "data", port, **UNLIMITED)
        try:
            wait_until_ready(url := f"http://127.0.0.1:{port}", process)
            asyncio.run(run(url, process.pid, options.minutes, seen))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    third, fourth = seen.between(0.5, 0.75), seen.between(0.75, 1.0)
    p50, p95 = (statistics.quantiles(seen.milliseconds, n=20)[index] for index in (9, 18))
    print(f"{options.minutes:g} minutes, answers by status {seen.answers}, p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    print(f"highest memory {max(size for _, size in seen.megabytes):.0f} MiB")
    print(f"median memory: third quarter {third:.0f} MiB, last quarter {fourth:.0f} MiB, {fourth / third - 1:+.1%}")
    print(f"target: at most {GROWTH_MAX:+.0%}")
    return 0 if fourth <= third * (1 + GROWTH_MAX) and all(code < 400 for code in seen.answers) else 1


if __name__ == "__main__":
    sys.exit(main())
