"""Runs several writing statements as one piece of work, so that SQLite's thread is asked once and not for each.

The rows of every statement are bound here. On PostgreSQL the statements go one after the other, as they always do.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as sqlite_dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.expression import ClauseElement

from specloop.db.sqlite_cursor import execute_all_on_thread
from specloop.kit import json

Write = tuple[Executable, Sequence[Mapping[str, Any]]]
"""A statement with the rows of its parameters, all with the same names; without rows it does nothing."""


def _json_text(value: Any) -> str:
    return json.dumps(value).decode()


_SQLITE: Final = sqlite_dialect(json_serializer=_json_text)


async def execute_all(session: AsyncSession, writes: Iterable[Write]) -> None:
    """Run the writes in order inside the session's transaction; none may return rows or lean on Python defaults.

    Statements are kept for as long as the program runs once they were run, so they must be made once, not per call.
    Raises: what the session itself would raise.
    """
    connection = await session.connection()
    if connection.dialect.name == "sqlite":
        await _in_one_hop(connection.sync_connection, writes)
        return

    def run(sync: Connection) -> None:
        for statement, rows in writes:
            if rows:
                sync.execute(statement, rows)

    await connection.run_sync(run)


async def _in_one_hop(connection: Connection | None, writes: Iterable[Write]) -> None:
    bound = [_bound(statement, rows) for statement, rows in writes if rows]
    if not bound or connection is None:
        return
    try:
        await execute_all_on_thread(connection.connection.driver_connection, bound)
    except sqlite3.Error as error:
        statement = "; ".join(sql for sql, _ in bound)
        raise DBAPIError.instance(statement, None, error, sqlite3.Error, True, dialect=_SQLITE) from error


def _bound(statement: Executable, rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[list[Any]]]:
    sql, binders = _compiled(statement, tuple(rows[0]))
    return sql, [[row[name] if bind is None else bind(row[name]) for name, bind in binders] for row in rows]


@lru_cache(maxsize=256)
def _compiled(
    statement: Executable, names: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, Callable[[Any], Any] | None], ...]]:
    """The statement as text, and for each of its question marks the name in a row and what makes a value SQLite's."""
    compiled: Any = cast("ClauseElement", statement).compile(dialect=_SQLITE, column_keys=list(names))
    return compiled.string, tuple(
        (name, compiled.binds[name].type.dialect_impl(_SQLITE).bind_processor(_SQLITE)) for name in compiled.positiontup
    )
