"""Session search.

Revision: 0004, after: 0003
"""

from __future__ import annotations

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Session search."""
