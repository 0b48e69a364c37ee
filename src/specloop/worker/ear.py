"""Hears of jobs that other processes commit to the PostgreSQL state database, by LISTEN/NOTIFY, and rings our doorbell.

A connection that breaks is made again; until then the dispatcher's poll finds the jobs.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from specloop.db.database import Database
from specloop.jobs.doorbell import doorbell_of
from specloop.jobs.repository import POSTGRES_CHANNEL
from specloop.kit.log import get_logger

log = get_logger(__name__)
RECONNECT_SECONDS = 5.0


async def listen(database: Database) -> None:
    """Ring until cancelled. On SQLite there is no other process, so there is nothing to hear."""
    if database.engine_name != "postgresql":
        return
    while True:
        try:
            await _listen_once(database)
        except Exception as error:  # any loss of the connection ends here
            log.warning("jobs.ear_lost", error=type(error).__name__)
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen_once(database: Database) -> None:
    engine = database.writer_engine
    bell = doorbell_of(engine.sync_engine)
    closed = asyncio.Event()
    async with engine.connect() as connection:
        raw = cast(Any, (await connection.get_raw_connection()).driver_connection)

        def on_closed(_connection: object) -> None:
            closed.set()

        def on_notice(*_notice: object) -> None:
            bell.ring()

        raw.add_termination_listener(on_closed)
        await raw.add_listener(POSTGRES_CHANNEL, on_notice)
        bell.ring()  # whatever was committed before we listened
        await closed.wait()
