"""Events and checkpoints of scans that ended long ago."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, exists, or_, select

from specloop.db.context import Context
from specloop.improve.scans.tables import CheckpointRow, ScanEventRow, ScanRow


async def delete_events(ctx: Context, before: datetime, limit: int) -> int:
    """Take the events and checkpoints from up to `limit` scans that finished before a moment; how many scans."""
    left = or_(*(exists().where(table.scan_id == ScanRow.id) for table in (ScanEventRow, CheckpointRow)))
    query = select(ScanRow.id).where(ScanRow.workspace_id == ctx.workspace_id, ScanRow.finished_at < before, left)
    found = list((await ctx.session.scalars(query.order_by(ScanRow.id).limit(limit))).all())
    for table in (ScanEventRow, CheckpointRow):
        mine = table.workspace_id == ctx.workspace_id
        await ctx.session.execute(delete(table).where(mine, table.scan_id.in_(found)))
    return len(found)
