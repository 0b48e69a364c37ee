"""`make migration NAME=add_notes`: writes the next numbered migration from what the tables say and the migrations lack.

Read what it wrote: renames and data moves cannot be guessed.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import CreateTableOp, UpgradeOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from generated import ROOT
from specloop.db.base import Payload, UTCDateTime
from specloop.db.database import Database
from specloop.db.discovery import all_metadata, workspace_tables
from specloop.db.migrations import migrate
from specloop.db.migrations.upgrading import script_directory

VERSIONS = ROOT / "src" / "specloop" / "db" / "migrations" / "versions"
HEADER = '''# pyright: basic
"""{title}.

Revision: {revision}, after: {after}
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

{imports}revision = "{revision}"
down_revision = {down}


def upgrade() -> None:
    """{title}."""
    {body}
'''


def render_item(kind: str, thing: object, context: AutogenContext) -> str | Literal[False]:
    """Our own column types by their short names."""
    del context
    if kind == "type" and isinstance(thing, (Payload, UTCDateTime)):
        return f"{type(thing).__name__}()"
    if kind == "type" and type(thing).__name__ == "JSON":
        return "JSONDoc"
    return False


def produce(connection: Connection) -> tuple[str, set[str], list[str]]:
    """(the body, the imports, the new tables that hold a workspace's rows)."""
    metadata = all_metadata()
    options = {"render_item": render_item, "compare_type": True, "target_metadata": metadata}
    context = MigrationContext.configure(connection, opts=options)
    script = produce_migrations(context, metadata)
    operations = script.upgrade_ops or UpgradeOps([])
    created = [one.table_name for one in operations.ops if isinstance(one, CreateTableOp)]
    body = render_python_code(operations, render_item=render_item, migration_context=context)
    protected = [name for name in workspace_tables(metadata) if name in created]
    return body, _used_imports(body), protected


def _used_imports(body: str) -> set[str]:
    names = [name for name in ("JSONDoc", "Payload", "UTCDateTime") if name in body]
    return {f"from specloop.db.base import {', '.join(names)}"} if names else set()


async def read_difference() -> tuple[str, set[str], list[str]]:
    """What the newest migration lacks."""
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite:///{folder}/state.db")
        await migrate(database)
        async with database.writer_engine.begin() as connection:
            found = await connection.run_sync(produce)
        await database.close()
        return found


def main() -> int:
    """Write the file."""
    if len(sys.argv) != 2 or not re.fullmatch(r"[a-z0-9_]+", sys.argv[1]):
        print("usage: make migration NAME=lower_case_words", file=sys.stderr)
        return 2
    name = sys.argv[1]
    heads = script_directory().get_heads()
    down = heads[0] if heads else None
    revision = f"{int(down or 0) + 1:04}"
    body, imports, protected = asyncio.run(read_difference())
    if protected:
        imports.add("from specloop.db.migrations.row_security import protect")
        body += f"\n    protect({protected!r})"
    lines = [line for line in sorted(imports) if line.startswith("from specloop")]
    text = HEADER.format(
        title=name.replace("_", " ").capitalize(),
        revision=revision,
        after=down or "nothing",
        imports="\n".join(lines) + "\n\n" if lines else "",
        down=repr(down),
        body=body.strip(),
    )
    path: Path = VERSIONS / f"{revision}_{name}.py"
    path.write_text(text, "utf-8")
    print(f"wrote {path.relative_to(ROOT)}; read it before you commit it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
