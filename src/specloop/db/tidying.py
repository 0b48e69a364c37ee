"""Bytes that a deletion leaves in files: SQLite's write-ahead log keeps old pages until it is written over."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from specloop.db.database import Database
from specloop.kit.log import get_logger

WAIT_SECONDS_MAX = 2.0
"""How long one attempt waits for readers; whoever wants to write waits with it."""
PAUSE_SECONDS = 1.0
ATTEMPTS_MAX = 15

log = get_logger(__name__)


async def empty_log(
    database: Database, *, wait_seconds_max: float = WAIT_SECONDS_MAX, pause_seconds: float = PAUSE_SECONDS
) -> bool:
    """Move the write-ahead log into the database file and cut it to nothing; without effect on PostgreSQL.

    A reader or writer that needs the log at the moment is waited for in several attempts, between which others can
    write. False when even that was not enough: the log then keeps what it has until the next call.
    """
    path = database.url.database
    if database.engine_name != "sqlite" or not path:
        return True
    for attempt in range(ATTEMPTS_MAX):
        if attempt:
            await asyncio.sleep(pause_seconds)
        if await asyncio.to_thread(_checkpoint, path, wait_seconds_max):
            return True
    log.warning("write_ahead_log.busy", hint="deleted text stays in the log until the next nightly sweep")
    return False


def _checkpoint(path: str, wait_seconds_max: float) -> bool:
    # A connection of its own: the one for writing would hold up every upload while it waits for readers.
    with closing(sqlite3.connect(path, timeout=wait_seconds_max)) as connection:
        # Being busy is no error here but the first column (https://sqlite.org/pragma.html#pragma_wal_checkpoint).
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy
