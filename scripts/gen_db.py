"""Writes schemas/db.sql: the state store's tables as PostgreSQL sees them."""

from __future__ import annotations

import sys

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from generated import settle
from specloop.db.discovery import all_metadata, workspace_tables


def main() -> int:
    """Generate it."""
    metadata = all_metadata()
    dialect = postgresql.dialect()
    protected = set(workspace_tables(metadata))
    parts: list[str] = ["-- Generated from the tables of every domain. Migrations make the real schema.\n"]
    for table in metadata.sorted_tables:
        note = "-- row-level security by workspace_id\n" if table.name in protected else ""
        parts.append(note + str(CreateTable(table).compile(dialect=dialect)).strip() + ";\n")
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            parts.append(str(CreateIndex(index).compile(dialect=dialect)).strip() + ";\n")
    text = "\n".join(parts).replace("\t", "  ")
    return settle({"schemas/db.sql": "\n".join(line.rstrip() for line in text.splitlines()) + "\n"})


if __name__ == "__main__":
    sys.exit(main())
