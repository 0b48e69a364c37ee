"""Make, look at, rename and archive workspaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import Forbidden
from specloop.identity import audit
from specloop.identity.workspaces import repository
from specloop.identity.workspaces.errors import SystemWorkspaceFixed, WorkspaceArchived
from specloop.identity.workspaces.model import VisibleWorkspace, Workspace, WorkspaceStatus
from specloop.identity.workspaces.service import standing

VersionCheck = Callable[[int], None]
"""Raises PreconditionFailed when the caller's change was based on another version than the given one."""


async def create(ctx: Context, name: str, description: str) -> Workspace:
    """A new workspace in the caller's account, with the caller as its admin.

    Raises: Forbidden for a caller that is no user.
    """
    if ctx.principal.user_id is None:
        raise Forbidden("this needs a signed-in user")
    workspace = standing.new_workspace(ctx, ctx.principal.account_id, name, description, is_system=False)
    return await standing.create_with_admin(ctx, workspace, ctx.principal.user_id)


async def list_workspaces(ctx: Context, status: WorkspaceStatus | None, page: PageRequest) -> Page[VisibleWorkspace]:
    """The workspaces that the caller can see, oldest first unless `page` says otherwise."""
    who = ctx.principal
    is_all = standing.sees_all(who.account_role)
    return await repository.list_visible(
        ctx, who.account_id, who.user_id or "", is_all=is_all, status=status, page=page
    )


async def rename(ctx: Context, changes: dict[str, Any], check: VersionCheck) -> Workspace:
    """Change `name`, `description` or `timezone` of the caller's workspace.

    Raises: WorkspaceArchived, SystemWorkspaceFixed, PreconditionFailed.
    """
    workspace = await standing.current_active(ctx)
    check(workspace.version)
    _refuse_system(workspace)
    if not changes:
        return workspace
    await repository.change(ctx, workspace.id, changes)
    await audit.record(ctx, "workspace.updated", "workspace", workspace.id, changes)
    return await standing.current(ctx)


async def archive(ctx: Context, check: VersionCheck) -> None:
    """Close the caller's workspace; its keys stop working, and after the grace period it may be purged.

    Raises: WorkspaceArchived when it is closed already, SystemWorkspaceFixed, PreconditionFailed.
    """
    workspace = await standing.current(ctx, is_locked=True)
    check(workspace.version)
    _refuse_system(workspace)
    if not workspace.is_active:
        raise WorkspaceArchived("the workspace is already archived")
    values = {"status": WorkspaceStatus.ARCHIVED.value, "archived_at": ctx.clock.now()}
    await repository.change(ctx, workspace.id, values)
    await audit.record(ctx, "workspace.archived", "workspace", workspace.id, {"name": workspace.name})


def _refuse_system(workspace: Workspace) -> None:
    if workspace.is_system:
        raise SystemWorkspaceFixed
