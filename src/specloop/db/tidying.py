"""Bytes that a deletion leaves in files: SQLite's write-ahead log keeps old pages until it is written over."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

from specloop.db.database import Database

WAIT_SECONDS_MAX = 2.0


async def empty_log(database: Database) -> None:
    """Move the write-ahead log into the database file and cut it to nothing; without effect on PostgreSQL.

    A reader that still needs the log keeps it until the next call.
    """
    path = database.url.database
    if database.engine_name == "sqlite" and path:
        await asyncio.to_thread(_checkpoint, path)


def _checkpoint(path: str) -> None:
    # A connection of its own: the one for writing would hold up every upload while it waits for readers.
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS_MAX)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
