"""`kill -9` between the acknowledgement and the telemetry store: nothing is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from tests.record.traces.harness import hex_trace, request_of, serving, span_of

ROOT = Path(__file__).parents[3]
USAGE = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7}


async def _send_to_a_process_and_kill_it(body: bytes, *arguments: str) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.record.traces.crash_child",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(body)
    child.stdin.close()
    assert await child.stdout.readline() == b"ready\n"
    child.kill()
    await child.wait()


@pytest.mark.parametrize("mode", ["acknowledged", "stored"])
async def test_a_killed_process_leaves_every_acknowledged_span_for_the_next(
    state_url: str, telemetry_dsn: str, mode: str
) -> None:
    body = request_of(*(span_of(n, attributes=USAGE) for n in range(1, 51))).SerializeToString()
    await _send_to_a_process_and_kill_it(body, state_url, telemetry_dsn, mode)
    database = await Database.open(state_url)
    telemetry = await TelemetryStore.open(telemetry_dsn)
    async with serving(database, telemetry) as server:
        trace = await server.wait_for_spans(hex_trace(1), 50)
        assert (trace["span_count"], trace["input_tokens"]) == (50, 350)
        assert (await server.get("/stats")).json()["spans"] == 50
        assert (await server.get("/otel/v1/traces/stats")).json()["spans_accepted"] == 50
    await telemetry.close()
    await database.close()
