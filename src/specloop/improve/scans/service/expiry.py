"""Ends the events of scans by age; the scans themselves, what they found and what they used stay."""

from __future__ import annotations

from datetime import datetime

from specloop.db.context import Context
from specloop.improve.scans.repository import expiry

SCANS_AT_ONCE = 20


class ScanEventExpiry:
    """A sweeper of scan events (see `identity.workspaces`); it counts scans."""

    kind = "scan_events"

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """Take the events from up to 20 scans that finished before `before`."""
        return await expiry.delete_events(ctx, before, SCANS_AT_ONCE)
