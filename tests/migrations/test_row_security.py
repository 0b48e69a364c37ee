"""Row-level security on PostgreSQL: who names no workspace sees nothing of any, whoever logs in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import JSON, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from specloop.db.base import Payload, UTCDateTime
from specloop.db.database import Database
from specloop.db.discovery import all_metadata, workspace_tables
from specloop.db.migrations import migrate
from specloop.db.uow import ALL_WORKSPACES
from tests.engines import PostgresServer

HERE, ELSEWHERE = "01900000-0000-7000-8000-000000000001", "01900000-0000-7000-8000-000000000002"
TENANT_TABLES = workspace_tables(all_metadata())


def value_for(kind: TypeEngine[Any]) -> Any:
    """Something that a column of this type can hold."""
    if isinstance(kind, UTCDateTime):
        return datetime.now(UTC)
    if isinstance(kind, (JSON, Payload)):
        return "{}"
    python = kind.python_type
    return "x" if python is str else b"x" if python is bytes else python(1)


def put_row(connection: psycopg.Connection[Any], table: Table) -> None:
    """One row of `HERE`; rules between tables do not matter for what is tested."""
    for constraint in connection.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table.name]
    ).fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        connection.execute(drop.format(sql.Identifier(table.name), sql.Identifier(constraint[0])))
    columns = [column for column in table.columns if column.autoincrement is not True]
    values = [HERE if column.name == "workspace_id" else value_for(column.type) for column in columns]
    insert = sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        sql.Identifier(table.name),
        sql.SQL(",").join(sql.Identifier(column.name) for column in columns),
        sql.SQL(",").join(sql.Placeholder() * len(columns)),
    )
    connection.execute(insert, values)


def fill(superuser_url: str) -> None:
    """A row of `HERE` in every tenant table, put there by a superuser, who is above policies."""
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for name in TENANT_TABLES:
            put_row(connection, all_metadata().tables[name])


@pytest.fixture
def store(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The name of a database with one row in every tenant table."""
    name = postgres_server.create_database(template=postgres_template)
    fill(postgres_server.url(name, user="postgres"))
    yield name
    postgres_server.drop_database(name)


async def counts(database: Database, workspace_id: str | None) -> dict[str, int]:
    """How many rows of each tenant table a unit sees that entered `workspace_id`."""
    found: dict[str, int] = {}
    async with database.reading(workspace_id) as unit:
        for name in TENANT_TABLES:
            count = await unit.session.execute(text(f'SELECT count(*) FROM "{name}"'))
            found[name] = count.scalar_one()
    return found


def test_every_tenant_table_has_a_forced_policy(postgres_server: PostgresServer, store: str) -> None:
    with psycopg.connect(postgres_server.url(store)) as connection:
        rows = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid"
            " WHERE c.relrowsecurity AND c.relforcerowsecurity AND p.polcmd = '*' AND p.polwithcheck IS NOT NULL"
        ).fetchall()
    assert TENANT_TABLES
    assert {row[0] for row in rows} == set(TENANT_TABLES)


async def test_a_unit_sees_the_rows_of_the_workspace_it_entered(postgres_server: PostgresServer, store: str) -> None:
    database = await Database.open(postgres_server.url(store))
    assert set((await counts(database, None)).values()) == {0}
    assert set((await counts(database, ELSEWHERE)).values()) == {0}
    assert set((await counts(database, HERE)).values()) == {1}
    assert set((await counts(database, ALL_WORKSPACES)).values()) == {1}
    assert set((await counts(database, None)).values()) == {0}, "nothing of the last unit is left on the connection"
    await database.close()


async def test_a_unit_can_neither_take_nor_place_rows_elsewhere(postgres_server: PostgresServer, store: str) -> None:
    database = await Database.open(postgres_server.url(store))
    for name in TENANT_TABLES:
        async with database.writing(ELSEWHERE) as unit:
            await unit.session.execute(text(f'DELETE FROM "{name}"'))
        with pytest.raises(DBAPIError, match="row-level security"):
            async with database.writing(HERE) as unit:
                await unit.session.execute(text(f'UPDATE "{name}" SET workspace_id = :there'), {"there": ELSEWHERE})
    assert set((await counts(database, HERE)).values()) == {1}
    await database.close()


async def test_a_superuser_is_confined_from_the_first_start_on(postgres_server: PostgresServer) -> None:
    name = postgres_server.create_database()
    url = postgres_server.url(name, user="postgres")
    first = await Database.open(url)
    await migrate(first)
    fill(url)
    assert set((await counts(first, HERE)).values()) == {1}
    assert set((await counts(first, None)).values()) == {0}, "the process that made the tables"
    await first.close()
    second = await Database.open(url)
    assert set((await counts(second, None)).values()) == {0}, "a later process"
    await second.close()
    postgres_server.drop_database(name)
