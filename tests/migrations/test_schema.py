"""Whatever way a store came to its schema, it is the one that the tables declare."""

from __future__ import annotations

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from specloop.db.database import Database
from specloop.db.discovery import all_metadata
from specloop.db.migrations import current_revision, migrate, revisions
from specloop.db.migrations.upgrading import script_directory
from tests.migrations.schema import describe


def is_declared(name: str | None, kind: str, _parents: Any) -> bool:
    """Not SQLite's full text tables, which no table class can declare; each of them makes several more."""
    return not (kind == "table" and (name or "").startswith("fts_"))


def differences(connection: Connection) -> list[Any]:
    """What a migration would still have to do."""
    opts = {"compare_type": True, "compare_server_default": True, "include_name": is_declared}
    context = MigrationContext.configure(connection, opts=opts)
    return compare_metadata(context, all_metadata())


async def test_the_migrated_store_has_what_the_tables_declare(database: Database) -> None:
    async with database.writer_engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await current_revision(database) == script_directory().get_current_head()


async def test_one_step_at_a_time_leads_to_the_same_schema(database: Database, empty_url: str) -> None:
    assert revisions() == [script.revision for script in reversed(list(script_directory().walk_revisions()))]
    for revision in revisions():
        stepped = await Database.open(empty_url)
        await migrate(stepped, revision)
        assert await current_revision(stepped) == revision
        await stepped.close()
    stepped = await Database.open(empty_url)
    assert await describe(stepped) == await describe(database)
    await stepped.close()


async def test_a_second_start_changes_nothing(database: Database) -> None:
    before = await describe(database)
    await migrate(database)
    assert await describe(database) == before
