"""What a workspace allows the system to do by itself, and how long it keeps things."""

from __future__ import annotations

from dataclasses import asdict

from specloop.db.context import Context
from specloop.identity import audit
from specloop.identity.workspaces import repository
from specloop.identity.workspaces.model import Autonomy, Retention, Workspace
from specloop.identity.workspaces.service.lifecycle import VersionCheck
from specloop.identity.workspaces.service.standing import current, current_active


async def set_autonomy(ctx: Context, autonomy: Autonomy, check: VersionCheck) -> Workspace:
    """Replace the autonomy settings of the caller's workspace.

    Raises: WorkspaceArchived, PreconditionFailed.
    """
    workspace = await current_active(ctx)
    check(workspace.version)
    await repository.change(ctx, workspace.id, {"autonomy": autonomy.as_document()})
    detail = {"from": workspace.autonomy.mode.value, "to": autonomy.mode.value}
    await audit.record(ctx, "workspace.autonomy_changed", "workspace", workspace.id, detail)
    return await current(ctx)


async def set_retention(ctx: Context, retention: Retention, check: VersionCheck) -> Workspace:
    """Replace the retention settings of the caller's workspace.

    Raises: WorkspaceArchived, PreconditionFailed.
    """
    workspace = await current_active(ctx)
    check(workspace.version)
    await repository.change(ctx, workspace.id, {"retention": retention.as_document()})
    await audit.record(ctx, "workspace.retention_changed", "workspace", workspace.id, asdict(retention))
    return await current(ctx)
