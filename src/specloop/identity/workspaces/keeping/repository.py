"""The SQL of keeping: which workspaces there are, and deleting one from every table that names it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Table, delete, select

from specloop.db.base import Base
from specloop.db.context import Context
from specloop.identity.workspaces.keeping.model import Kept
from specloop.identity.workspaces.model import Retention, WorkspaceStatus
from specloop.identity.workspaces.tables import WorkspaceRow


async def all_workspaces(ctx: Context) -> list[Kept]:
    """Every workspace, archived ones too."""
    rows = await ctx.session.execute(
        select(WorkspaceRow.account_id, WorkspaceRow.id, WorkspaceRow.retention).order_by(WorkspaceRow.id)
    )
    return [Kept(account_id, workspace_id, Retention(**document)) for account_id, workspace_id, document in rows]


async def ids_of_account(ctx: Context, account_id: str) -> Sequence[str]:
    """The account's workspaces, archived ones too."""
    return (await ctx.session.scalars(select(WorkspaceRow.id).where(WorkspaceRow.account_id == account_id))).all()


async def archived_before(ctx: Context, moment: datetime) -> list[Kept]:
    """The workspaces that were archived before `moment`."""
    rows = await ctx.session.execute(
        select(WorkspaceRow.account_id, WorkspaceRow.id, WorkspaceRow.retention).where(
            WorkspaceRow.status == WorkspaceStatus.ARCHIVED.value,
            WorkspaceRow.archived_at < moment,
            WorkspaceRow.is_system.is_(False),
        )
    )
    return [Kept(account_id, workspace_id, Retention(**document)) for account_id, workspace_id, document in rows]


def tables_of_workspaces() -> list[Table]:
    """The tables with rows of workspaces, those that refer to others first."""
    return [table for table in reversed(Base.metadata.sorted_tables) if "workspace_id" in table.c]


async def erase_table(ctx: Context, table: Table, workspace_id: str) -> None:
    """Delete the workspace's rows of one table."""
    await ctx.session.execute(delete(table).where(table.c.workspace_id == workspace_id))


async def erase_workspace(ctx: Context, workspace_id: str) -> None:
    """Delete the row of the workspace itself."""
    await ctx.session.execute(delete(WorkspaceRow).where(WorkspaceRow.id == workspace_id))
