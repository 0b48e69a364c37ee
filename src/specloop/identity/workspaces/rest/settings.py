"""Autonomy and retention of a workspace."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from specloop.identity.workspaces.rest.locking import IfMatch
from specloop.identity.workspaces.schema import AutonomyBody, RetentionBody, render_autonomy
from specloop.identity.workspaces.service import settings, standing
from specloop.transport.etag import etag
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, api_router

router = api_router("/api/v1/workspaces/{workspace_id}", tags=["Workspaces"])


@router.get("/autonomy", summary="Read the autonomy settings", response_model=AutonomyBody)
@requires("read:workspace")
async def read_autonomy(workspace_id: str, ctx: Ctx, response: Response) -> dict[str, Any]:
    """How much the system may do by itself."""
    workspace = await standing.current(ctx)
    response.headers["ETag"] = etag(workspace.version)
    return render_autonomy(workspace.autonomy)


@router.put("/autonomy", summary="Replace the autonomy settings", response_model=AutonomyBody)
@requires("admin:workspace")
async def write_autonomy(
    workspace_id: str, body: AutonomyBody, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """Modes: observe_only, recommend, manual, bounded_auto."""
    workspace = await settings.set_autonomy(ctx, body.to_model(), check)
    response.headers["ETag"] = etag(workspace.version)
    return render_autonomy(workspace.autonomy)


@router.get("/retention", summary="Read the retention settings", response_model=RetentionBody)
@requires("admin:workspace")
async def read_retention(workspace_id: str, ctx: Ctx, response: Response) -> dict[str, Any]:
    """How many days each kind of record is kept."""
    workspace = await standing.current(ctx)
    response.headers["ETag"] = etag(workspace.version)
    return workspace.retention.as_document()


@router.put("/retention", summary="Replace the retention settings", response_model=RetentionBody)
@requires("admin:workspace")
async def write_retention(
    workspace_id: str, body: RetentionBody, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """Records older than that are removed by the nightly clean-up."""
    workspace = await settings.set_retention(ctx, body.to_model(), check)
    response.headers["ETag"] = etag(workspace.version)
    return workspace.retention.as_document()
