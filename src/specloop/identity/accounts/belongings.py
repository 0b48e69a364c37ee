"""Everything that an account has in the state store, found by the tenant column that every table carries.

A new table is exported and erased without being listed here. Columns that hold secrets or their digests never leave.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import Table, delete, select

from specloop.db.base import Base
from specloop.db.context import Context
from specloop.kit.json import dumps

_SECRET = re.compile(r"password|secret|digest|verifier|nonce")
_ROWS_AT_ONCE = 200


def tables_of_accounts() -> list[Table]:
    """The tables with rows of accounts, those that refer to others last."""
    return [table for table in Base.metadata.sorted_tables if "account_id" in table.c or table.name == "accounts"]


async def export_json(ctx: Context, account_id: str) -> AsyncIterator[bytes]:
    """One JSON object: for each table, by name, the list of the account's rows. Comes in chunks."""
    separator = b"{"
    for table in tables_of_accounts():
        yield separator + dumps(table.name) + b":["
        separator = b","
        comma = b""
        async for row in _rows(ctx, table, account_id):
            yield comma + dumps(row)
            comma = b","
        yield b"]"
    yield b"}"


async def _rows(ctx: Context, table: Table, account_id: str) -> AsyncIterator[dict[str, Any]]:
    columns = [column for column in table.c if not _SECRET.search(column.name)]
    query = select(*columns).where(_owner(table) == account_id)
    stream = await ctx.session.stream(query.execution_options(yield_per=_ROWS_AT_ONCE))
    async for row in stream.mappings():
        yield {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


async def erase_table(ctx: Context, table: Table, account_id: str) -> None:
    """Delete the account's rows of one table."""
    await ctx.session.execute(delete(table).where(_owner(table) == account_id))


def _owner(table: Table) -> Any:
    return table.c.id if table.name == "accounts" else table.c.account_id
