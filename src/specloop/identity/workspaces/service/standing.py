"""What other domains ask of workspaces: make the first one, who is what, who sees which."""

from __future__ import annotations

from dataclasses import replace

from specloop.db.context import Context
from specloop.identity import audit
from specloop.identity.scopes import AccountRole, WorkspaceRole
from specloop.identity.workspaces import repository
from specloop.identity.workspaces.errors import WorkspaceArchived, WorkspaceNotFound
from specloop.identity.workspaces.model import (
    SYSTEM_NAME,
    Autonomy,
    Retention,
    VisibleWorkspace,
    Workspace,
    WorkspaceStatus,
)
from specloop.kit.ids import new_id


def new_workspace(ctx: Context, account_id: str, name: str, description: str = "", *, is_system: bool) -> Workspace:
    """A workspace with the defaults of a new one, not stored yet."""
    now = ctx.clock.now()
    return Workspace(
        id=new_id(),
        account_id=account_id,
        name=name,
        description=description,
        status=WorkspaceStatus.ACTIVE,
        is_system=is_system,
        timezone="UTC",
        autonomy=Autonomy(),
        retention=Retention(),
        version=1,
        created_at=now,
        updated_at=now,
        created_by=ctx.principal.user_id,
    )


async def create_first(ctx: Context, account_id: str, user_id: str, name: str) -> Workspace:
    """The workspace that registration makes, with the new user as its admin (router 1)."""
    return await create_with_admin(ctx, new_workspace(ctx, account_id, name, is_system=False), user_id)


async def create_with_admin(ctx: Context, workspace: Workspace, user_id: str) -> Workspace:
    """Store a workspace, make the user its admin, and record it."""
    await repository.add(ctx, workspace)
    await repository.add_member(ctx, workspace, user_id, WorkspaceRole.ADMIN)
    inside = ctx.acting_as(replace(ctx.principal, account_id=workspace.account_id, workspace_id=workspace.id))
    await audit.record(inside, "workspace.created", "workspace", workspace.id, {"name": workspace.name})
    return workspace


async def ensure_system(ctx: Context, account_id: str) -> Workspace:
    """The workspace that records the server's own traces; made in `account_id` at the first start."""
    found = await repository.find_system(ctx)
    if found is not None:
        return found
    workspace = new_workspace(ctx, account_id, SYSTEM_NAME, "The server's own traces", is_system=True)
    await repository.add(ctx, workspace)
    return workspace


async def find_system(ctx: Context) -> Workspace | None:
    """The system workspace, or None before the first start has made it."""
    return await repository.find_system(ctx)


async def find(ctx: Context, workspace_id: str) -> Workspace | None:
    """The workspace of that id in any account: for the gate, which then decides whether the caller sees it."""
    return await repository.get(ctx, workspace_id)


async def role_of(ctx: Context, workspace_id: str, user_id: str) -> WorkspaceRole | None:
    """The user's role there, or None when the user is no member."""
    return await repository.role_of(ctx, workspace_id, user_id)


async def visible(ctx: Context, account_id: str, user_id: str, account_role: str) -> list[VisibleWorkspace]:
    """The active workspaces of the account that the user may see, oldest first; owners and staff see all."""
    return await repository.all_visible(ctx, account_id, user_id, is_all=sees_all(account_role))


def sees_all(account_role: str | None) -> bool:
    """Whether an account role sees every workspace of its account (spectral.md §1.0.1)."""
    return account_role in (AccountRole.OWNER, AccountRole.OPERATIONS)


async def add_member(ctx: Context, workspace_id: str, user_id: str, role: WorkspaceRole) -> None:
    """Give a user of the account a place, as an accepted invitation does; one who has a place keeps it.

    Raises: WorkspaceNotFound when it is not in the caller's account or archived.
    """
    workspace = await repository.get(ctx, workspace_id)
    if workspace is None or not workspace.is_active or workspace.account_id != ctx.principal.account_id:
        raise WorkspaceNotFound
    if await repository.role_of(ctx, workspace_id, user_id) is None:
        await repository.add_member(ctx, workspace, user_id, role)


async def current(ctx: Context, *, is_locked: bool = False) -> Workspace:
    """The workspace that the caller stands in; with `is_locked` nobody else changes it before this transaction ends.

    Raises: WorkspaceNotFound.
    """
    found = await repository.get(ctx, ctx.workspace_id, is_locked=is_locked)
    if found is None or found.account_id != ctx.principal.account_id:
        raise WorkspaceNotFound
    return found


async def current_active(ctx: Context) -> Workspace:
    """The caller's workspace, held until the transaction ends, for a change in it.

    Raises: WorkspaceNotFound, WorkspaceArchived.
    """
    workspace = await current(ctx, is_locked=True)
    if not workspace.is_active:
        raise WorkspaceArchived
    return workspace
