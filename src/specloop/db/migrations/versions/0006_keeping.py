"""Keeping.

Revision: 0006, after: 0005
"""

from __future__ import annotations

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Keeping."""
