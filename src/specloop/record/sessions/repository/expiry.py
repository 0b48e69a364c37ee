"""Sessions of a whole workspace, whoever recorded them: what is deleted by age or with the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select

from specloop.db.context import Context
from specloop.record.sessions.tables import SessionRow


async def lock_old(ctx: Context, before: datetime | None, limit: int) -> list[str]:
    """Some sessions of the workspace whose last moment is before `before`, or any; held until the transaction ends."""
    query = select(SessionRow.id).where(SessionRow.workspace_id == ctx.workspace_id)
    if before is not None:
        query = query.where(SessionRow.active_at < before)
    return list((await ctx.session.scalars(query.order_by(SessionRow.id).limit(limit).with_for_update())).all())


async def remove(ctx: Context, row_ids: Sequence[str]) -> None:
    """Delete sessions of the workspace and, by the foreign keys, everything that belongs to them."""
    mine = SessionRow.workspace_id == ctx.workspace_id
    await ctx.session.execute(delete(SessionRow).where(mine, SessionRow.id.in_(row_ids)))
