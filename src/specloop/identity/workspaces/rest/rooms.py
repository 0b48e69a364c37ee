"""Workspaces themselves: create, list, read, change, archive, and how one is doing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Query, Response

from specloop.db.paging import PageRequest
from specloop.identity.scopes import WorkspaceRole
from specloop.identity.workspaces.model import Workspace, WorkspaceStatus
from specloop.identity.workspaces.rest.locking import IfMatch
from specloop.identity.workspaces.schema import (
    HealthBody,
    WorkspaceBody,
    WorkspaceCreate,
    WorkspacePatch,
    render_health,
    render_visible,
    render_workspace,
)
from specloop.identity.workspaces.service import lifecycle, standing
from specloop.identity.workspaces.service.health import HealthService
from specloop.transport.etag import etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces", tags=["Workspaces"])


async def _own_view(ctx: Ctx, workspace: Workspace, response: Response) -> dict[str, Any]:
    who = ctx.principal
    role = await standing.role_of(ctx, workspace.id, who.user_id) if who.user_id else None
    response.headers["ETag"] = etag(workspace.version)
    return render_workspace(workspace, role, who.scopes)


@router.post("", status_code=201, summary="Create a workspace", response_model=WorkspaceBody)
@requires("admin:account", users_only=True)
async def create_workspace(body: WorkspaceCreate, ctx: Ctx, response: Response) -> dict[str, Any]:
    """The caller becomes its admin."""
    workspace = await lifecycle.create(ctx, body.name, body.description)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace.id}"
    response.headers["ETag"] = etag(workspace.version)
    found = standing.VisibleWorkspace(workspace, WorkspaceRole.ADMIN)
    return render_visible(found, ctx.principal.account_role)


@router.get("", summary="List workspaces", response_model=PageBody[WorkspaceBody])
@requires(users_only=True)
async def list_workspaces(
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("name", "created_at", "updated_at")],
    status: Annotated[WorkspaceStatus | None, Query()] = None,
) -> dict[str, Any]:
    """Only those that the caller can see; sort by name, created_at or updated_at."""
    found = await lifecycle.list_workspaces(ctx, status, page)
    return page_body(found, lambda one: render_visible(one, ctx.principal.account_role))


@router.get("/{workspace_id}", summary="Read a workspace", response_model=WorkspaceBody)
@requires("read:workspace")
async def read_workspace(workspace_id: str, ctx: Ctx, response: Response) -> dict[str, Any]:
    """With the caller's role and scopes in it."""
    return await _own_view(ctx, await standing.current(ctx), response)


@router.patch("/{workspace_id}", summary="Change a workspace", response_model=WorkspaceBody)
@requires("admin:workspace")
async def change_workspace(
    workspace_id: str, body: WorkspacePatch, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """Name, description and time zone."""
    workspace = await lifecycle.rename(ctx, body.model_dump(exclude_unset=True), check)
    return await _own_view(ctx, workspace, response)


@router.delete("/{workspace_id}", status_code=204, summary="Archive a workspace")
@requires("admin:account")
async def archive_workspace(workspace_id: str, ctx: Ctx, check: IfMatch) -> None:
    """Its keys stop working; it stays readable for 30 days."""
    await lifecycle.archive(ctx, check)


@router.get("/{workspace_id}/health", summary="How a workspace is doing", response_model=HealthBody)
@requires("read:workspace")
async def read_health(
    workspace_id: str, ctx: Ctx, service: Annotated[HealthService, Depends(provided(HealthService))]
) -> dict[str, Any]:
    """Ingestion, agents, scans, queue and models, with a score and what to look at."""
    return render_health(await service.check(ctx))
