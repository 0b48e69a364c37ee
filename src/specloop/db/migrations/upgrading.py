"""Runs Alembic over the numbered migrations. Loaded only when there is something to do: it takes a tenth of a start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, text

from specloop.db.errors import SchemaTooNew

_LOCK_KEY = 7_304_115_201  # any constant; two processes that start together must choose the same


def script_directory() -> ScriptDirectory:
    """The numbered migrations of this version."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return ScriptDirectory.from_config(config)


def upgrade(connection: Connection, target: str) -> None:
    """Apply what is missing up to `target` in the connection's transaction.

    Raises: SchemaTooNew when the store knows a migration that this program does not.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL ROLE NONE"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
    scripts = script_directory()

    def steps(revision: Any, _context: MigrationContext) -> Any:
        _check_known(scripts, revision)
        return scripts._upgrade_revs(target, revision)  # pyright: ignore[reportPrivateUsage]  (what `alembic upgrade` runs)

    environment = EnvironmentContext(Config(), scripts, fn=steps)
    environment.configure(connection=connection, transactional_ddl=True)
    environment.run_migrations()


def _check_known(scripts: ScriptDirectory, revision: Any) -> None:
    for name in revision if isinstance(revision, tuple) else (revision,):  # pyright: ignore[reportUnknownVariableType]
        if not name:
            continue
        try:
            scripts.get_revision(str(name))  # pyright: ignore[reportUnknownArgumentType]
        except CommandError as error:
            raise SchemaTooNew from error
