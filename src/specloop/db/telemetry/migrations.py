"""The telemetry store's own numbered migrations: `NNNN_name.sql` files beside this module.

ClickHouse cannot roll a schema change back, so every statement is written to be repeatable (`IF NOT EXISTS`) and a
number is recorded only after its last statement: a kill in between leaves the old number, and the next start repeats
the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import resources

from specloop.db.errors import SchemaTooNew
from specloop.db.telemetry.client import TelemetryClient

_FILE_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_STATEMENT_END = re.compile(r";[ \t]*(?:\n|$)")

_LEDGER = """
CREATE TABLE IF NOT EXISTS specloop_migrations (
    number UInt32, name String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6, 'UTC')
) ENGINE = MergeTree ORDER BY number SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its number, its name and its statements in order."""

    number: int
    name: str
    statements: tuple[str, ...]


def packaged_migrations() -> list[Migration]:
    """The migrations that this program knows, by number."""
    found: list[Migration] = []
    for entry in (resources.files("specloop.db.telemetry") / "migrations").iterdir():
        match = _FILE_NAME.fullmatch(entry.name)
        if match is not None:
            found.append(Migration(int(match[1]), match[2], split_statements(entry.read_text("utf-8"))))
    return sorted(found, key=lambda migration: migration.number)


def split_statements(text: str) -> tuple[str, ...]:
    """The statements of an SQL file; one ends with `;` at the end of a line."""
    return tuple(part.strip() for part in _STATEMENT_END.split(text) if part.strip())


def migrate(client: TelemetryClient, migrations: list[Migration]) -> list[int]:
    """Bring the store up to the newest of `migrations` and return the numbers that were applied.

    Raises: SchemaTooNew when the store has a migration that this program does not know.
    """
    client.command(_LEDGER)
    done = {int(row["number"]) for row in client.query("SELECT DISTINCT number FROM specloop_migrations")}
    newest = max((migration.number for migration in migrations), default=0)
    if done and max(done) > newest:
        raise SchemaTooNew(f"the telemetry store is at migration {max(done)}, this program knows {newest}")
    pending = [migration for migration in migrations if migration.number not in done]
    for migration in pending:
        _apply(client, migration)
    return [migration.number for migration in pending]


def _apply(client: TelemetryClient, migration: Migration) -> None:
    for statement in migration.statements:
        client.command(statement)
    client.command(
        "INSERT INTO specloop_migrations (number, name) SELECT {number:UInt32}, {name:String}",
        {"number": migration.number, "name": migration.name},
    )
