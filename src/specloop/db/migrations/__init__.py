"""Brings the state store to the newest schema: one transaction on either engine, so a kill leaves old or new."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from specloop.db.database import Database

_VERSIONS = Path(__file__).parent / "versions"


def revisions() -> list[str]:
    """This program's migrations in order; their files are named for them: `0001_foundation.py` is 0001."""
    return sorted(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


async def migrate(database: Database, target: str = "head") -> None:
    """Apply what is missing up to `target`.

    Raises: SchemaTooNew when the store knows a migration that this program does not.
    """
    if target == "head" and await current_revision(database) == revisions()[-1]:
        return
    from specloop.db.migrations.upgrading import upgrade  # noqa: PLC0415

    async with database.writer_engine.begin() as connection:
        await connection.run_sync(upgrade, target)
    # A superuser's connections take the tenant role when they are opened, and the first migration makes that role.
    await database.reader_engine.dispose()


async def current_revision(database: Database) -> str | None:
    """The migration the store is at; None for an empty store."""
    async with database.reader_engine.connect() as connection:
        if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
            return None
        return await connection.scalar(text("SELECT version_num FROM alembic_version"))
