"""Devices.

Revision: 0002, after: 0001
"""

from __future__ import annotations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Devices."""
