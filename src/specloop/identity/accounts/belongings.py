"""Everything that an account has in the state store, found by the tenant column that every table carries.

A new table is exported and erased without being listed here. Columns that hold secrets or their digests never leave.
Other stages say how rows of theirs are read, and add what they keep beside the state store.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Table, delete, select

from specloop.db.base import Base
from specloop.db.context import Context
from specloop.kit.json import dumps

_SECRET = re.compile(r"password|secret|digest|verifier|nonce")
_ROWS_AT_ONCE = 200
_LARGE_ROWS_AT_ONCE = 4

Row = dict[str, Any]
ReadRow = Callable[[Row], Row]
"""Makes of a row as it is stored one that its owner can read."""


class Section(Protocol):
    """Rows of an export that come from elsewhere than the state store."""

    @property
    def name(self) -> str:
        """Under which they stand in the export; no table's name."""
        ...

    def rows(self, ctx: Context, account_id: str) -> AsyncIterator[Row]:
        """All of the account's, one after the other; `ctx` sees all workspaces."""
        ...


@dataclass(frozen=True, slots=True)
class Exporting:
    """What other stages bring: readers by table (None leaves out what is derived from other rows), and sections."""

    readers: Mapping[str, ReadRow | None] = field(default_factory=dict[str, "ReadRow | None"])
    sections: Sequence[Section] = ()


def tables_of_accounts() -> list[Table]:
    """The tables with rows of accounts, those that refer to others last."""
    return [table for table in Base.metadata.sorted_tables if "account_id" in table.c or table.name == "accounts"]


async def export_json(ctx: Context, account_id: str, exporting: Exporting) -> AsyncIterator[bytes]:
    """One JSON object: for each table or section, by name, the list of the account's rows. Comes row by row."""
    parts: list[tuple[str, AsyncIterator[Row]]] = [
        (table.name, _rows(ctx, table, account_id, exporting.readers.get(table.name)))
        for table in tables_of_accounts()
        if exporting.readers.get(table.name, _plain_row) is not None
    ]
    parts += [(section.name, section.rows(ctx, account_id)) for section in exporting.sections]
    separator = b"{"
    for name, rows in parts:
        yield separator + dumps(name) + b":["
        separator = b","
        comma = b""
        async for row in rows:
            yield comma + dumps(row)
            comma = b","
        yield b"]"
    yield b"}"


async def _rows(ctx: Context, table: Table, account_id: str, read: ReadRow | None) -> AsyncIterator[Row]:
    columns = [column for column in table.c if not _SECRET.search(column.name)]
    query = select(*columns).where(_owner(table) == account_id)
    at_once = _LARGE_ROWS_AT_ONCE if read else _ROWS_AT_ONCE
    stream = await ctx.session.stream(query.execution_options(yield_per=at_once))
    async for row in stream.mappings():
        stored = {str(name): value for name, value in row.items()}
        yield _plain_row(read(stored) if read else stored)


def _plain_row(row: Row) -> Row:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


async def erase_table(ctx: Context, table: Table, account_id: str) -> None:
    """Delete the account's rows of one table."""
    await ctx.session.execute(delete(table).where(_owner(table) == account_id))


def _owner(table: Table) -> Any:
    return table.c.id if table.name == "accounts" else table.c.account_id
