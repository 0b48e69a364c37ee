"""A process to be killed: takes one request into the inbox of a SQLite store and says so, without ever draining.

Run as `python -m tests.record.traces.crash_child STATE_URL TELEMETRY_DSN MODE`; spans come as protobuf on standard
input. MODE `acknowledged` prints after the commit, `stored` after the telemetry store has the spans but before the
inbox forgets them; then it waits for the kill.
"""

from __future__ import annotations

import asyncio
import sys

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import SystemClock
from specloop.record.traces.ingest.decode import Encoding
from specloop.record.traces.repository import inbox
from specloop.record.traces.repository.native import insert_bodies
from specloop.record.traces.service.intake import TraceIntake
from tests.record.traces.harness import OURS, key_of


async def main(state_url: str, telemetry_dsn: str, mode: str) -> None:
    """Take the request in, then wait for ever."""
    body = sys.stdin.buffer.read()
    database = await Database.open(state_url)
    telemetry = await TelemetryStore.open(telemetry_dsn)
    intake = TraceIntake(database, telemetry, SystemClock())
    await intake.receive(key_of(OURS), OURS, body, Encoding.PROTOBUF)
    if mode == "stored":
        async with database.reading(ALL_WORKSPACES) as unit:
            waiting = await inbox.take(unit, bytes_max=1 << 30, rows_max=100)
        await insert_bodies(telemetry, [row.received for row in waiting])
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
