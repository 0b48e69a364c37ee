"""Reads a store's schema as plain text, so that two can be compared; and runs a migration in a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from sqlalchemy import Connection as SQLConnection
from sqlalchemy import text

from specloop.db.database import Database
from specloop.db.discovery import all_metadata
from specloop.db.migrations import migrate

all_metadata()  # loaded here, so that the children need not
SQLITE = "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
POSTGRESQL = """
SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' '
       || coalesce(column_default, '') || ' ' || coalesce(character_maximum_length::text, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT 'policy ' || tablename || ' ' || policyname || ' ' || coalesce(qual, '') || coalesce(with_check, '')
FROM pg_policies WHERE schemaname = 'public'
UNION ALL SELECT 'security ' || relname || ' ' || relrowsecurity || ' ' || relforcerowsecurity
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


def _describe(connection: SQLConnection) -> list[str]:
    statement = SQLITE if connection.dialect.name == "sqlite" else POSTGRESQL
    return sorted(str(line) for line in connection.execute(text(statement)).scalars())


async def describe(database: Database) -> list[str]:
    """Every table, column, index, constraint and policy, one a line."""
    async with database.reader_engine.connect() as connection:
        return await connection.run_sync(_describe)


def processes() -> ForkServerContext:
    """Children that start at once, because the libraries are loaded already where they are forked."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.migrations.schema"])
    return context


def migrate_at(url: str, told: Connection) -> None:
    """Bring the store at `url` up to date in this process; tell before and after."""
    asyncio.run(_migrate_at(url, told))


async def _migrate_at(url: str, told: Connection) -> None:
    database = await Database.open(url)
    told.send("begin")
    told.recv()
    await migrate(database)
    told.send("end")
    await database.close()
