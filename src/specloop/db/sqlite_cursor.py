# pyright: reportPrivateUsage=false
"""A cursor that gives a whole statement to SQLite's thread at once.

SQLAlchemy's own asks the thread three or four times per statement (cursor, execute, fetch, close). Each time the
interpreter is handed over and back, which costs more than most statements do: an upload took 20 ms of CPU instead of
14. There is no public way to do this, so it leans on inner members of two libraries whose versions are locked.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor

BoundWrite = tuple[str, Sequence[Sequence[Any]]]
"""A statement with question marks, and the values of each of its runs."""


@dataclass(slots=True)
class _Result:
    """What a statement left, readable on any thread."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    arraysize: int = 1

    def close(self) -> None:
        """Nothing is open any more."""


def _execute(connection: sqlite3.Connection, operation: str, parameters: Any) -> tuple[_Result, deque[Any]]:
    cursor = connection.execute(operation, () if parameters is None else parameters)
    rows = deque(cursor.fetchall()) if cursor.description else deque[Any]()
    return _Result(cursor.description, cursor.rowcount, cursor.lastrowid), rows


def _execute_many(connection: sqlite3.Connection, operation: str, parameters: Any) -> _Result:
    cursor = connection.executemany(operation, parameters)
    return _Result(cursor.description, cursor.rowcount, cursor.lastrowid)


def _execute_all(connection: sqlite3.Connection, writes: Sequence[BoundWrite]) -> None:
    for operation, rows in writes:
        connection.executemany(operation, rows)


async def execute_all_on_thread(driver_connection: Any, writes: Sequence[BoundWrite]) -> None:
    """Run statements with their rows in order, as one piece of work; `driver_connection` is aiosqlite's."""
    await driver_connection._execute(_execute_all, driver_connection._conn, writes)


class OneHopCursor(AsyncAdapt_aiosqlite_cursor):
    """The cursor."""

    __slots__ = ()
    _awaitable_cursor_close = False

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Result()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            raw: Any = self._connection
            self._cursor, self._rows = await raw._execute(_execute, raw._conn, operation, parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        async with self._adapt_connection._execute_mutex:
            raw: Any = self._connection
            self._cursor = await raw._execute(_execute_many, raw._conn, operation, seq_of_parameters)


def use_one_hop_cursors() -> None:
    """From now on every asynchronous SQLite connection of this process has such cursors."""
    AsyncAdapt_aiosqlite_connection._cursor_cls = OneHopCursor
