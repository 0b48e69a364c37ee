"""Finds every domain's tables, so that no list has to grow with each domain."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

from specloop.db.base import Base


def all_metadata() -> MetaData:
    """The metadata with the tables of every `tables.py` below the package."""
    import_module("specloop.db.replies")  # the ground's own table
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("tables.py")):
        module = ".".join(path.relative_to(root.parent).with_suffix("").parts)
        import_module(module)
    return Base.metadata


def workspace_tables(metadata: MetaData) -> list[str]:
    """The tables whose every row belongs to a workspace, and so get row-level security."""
    return sorted(
        name
        for name, table in metadata.tables.items()
        if "workspace_id" in table.c and not table.c.workspace_id.nullable
    )
