"""The tables of the foundation.

Revision: 0001, after: nothing
"""

from __future__ import annotations

from alembic import op

from specloop.db.discovery import all_metadata, workspace_tables
from specloop.db.migrations.row_security import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    metadata = all_metadata()
    metadata.create_all(op.get_bind())
    protect(workspace_tables(metadata))
