"""Router 13: objectives over REST (spectral.md §1.3). Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from specloop.db.paging import PageRequest
from specloop.identity.scopes import Scope
from specloop.improve.objectives.schema import (
    ObjectiveCreate,
    ObjectiveOut,
    ObjectiveUpdate,
    ObjectiveVersionOut,
)
from specloop.improve.objectives.service import ObjectiveService
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/evaluations/objectives", tags=["objectives"])
Objectives = Annotated[ObjectiveService, Depends(provided(ObjectiveService))]


@router.post("", status_code=201, summary="Create an objective")
@requires(Scope.WRITE_WORKSPACE)
async def create_objective(ctx: Ctx, objectives: Objectives, body: ObjectiveCreate, response: Response) -> ObjectiveOut:
    """201 with version 1, active unless `status` says draft."""
    objective = await objectives.create(
        ctx, body.name, body.description, body.content(), is_active=body.status == "active"
    )
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/evaluations/objectives/{objective.id}"
    response.headers["ETag"] = etag(objective.revision)
    return ObjectiveOut.of(objective)


@router.get("", response_model=PageBody[ObjectiveOut], summary="List objectives")
@requires(Scope.READ_WORKSPACE)
async def list_objectives(
    ctx: Ctx,
    objectives: Objectives,
    page: Annotated[PageRequest, sorted_by("created_at", "updated_at", "name")],
    status: Literal["draft", "active", "archived"] | None = None,
) -> dict[str, Any]:
    """Archived objectives appear only under `status=archived`."""
    return page_body(await objectives.list(ctx, page, status), ObjectiveOut.of)


@router.get("/{objective_id}", summary="Read an objective")
@requires(Scope.READ_WORKSPACE)
async def read_objective(
    ctx: Ctx,
    objectives: Objectives,
    objective_id: str,
    response: Response,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> ObjectiveOut:
    """The newest version, or the one asked for."""
    objective = await objectives.read(ctx, objective_id, version)
    response.headers["ETag"] = etag(objective.revision)
    return ObjectiveOut.of(objective)


@router.patch("/{objective_id}", summary="Change an objective")
@requires(Scope.WRITE_WORKSPACE)
async def update_objective(
    ctx: Ctx, objectives: Objectives, objective_id: str, body: ObjectiveUpdate, request: Request, response: Response
) -> ObjectiveOut:
    """New content goes into a draft version; an active version never changes."""
    current = await objectives.read(ctx, objective_id)
    check_if_match(request, current.revision)
    content = body.content(current.shown.content)
    objective = await objectives.update(ctx, objective_id, body.name, body.description, content)
    response.headers["ETag"] = etag(objective.revision)
    return ObjectiveOut.of(objective)


@router.delete("/{objective_id}", status_code=204, summary="Archive an objective")
@requires(Scope.WRITE_WORKSPACE)
async def delete_objective(ctx: Ctx, objectives: Objectives, objective_id: str, request: Request) -> None:
    """400 while an active scan uses it."""
    check_if_match(request, (await objectives.read(ctx, objective_id)).revision)
    await objectives.archive(ctx, objective_id)


@router.get(
    "/{objective_id}/versions", response_model=PageBody[ObjectiveVersionOut], summary="List an objective's versions"
)
@requires(Scope.READ_WORKSPACE)
async def list_objective_versions(
    ctx: Ctx, objectives: Objectives, objective_id: str, page: Annotated[PageRequest, sorted_by("version")]
) -> dict[str, Any]:
    """Newest first."""
    return page_body(await objectives.versions(ctx, objective_id, page), ObjectiveVersionOut.of)


@router.post("/{objective_id}/activate", summary="Activate the newest draft")
@requires(Scope.WRITE_WORKSPACE)
async def activate_objective(ctx: Ctx, objectives: Objectives, objective_id: str, response: Response) -> ObjectiveOut:
    """The version that was active is archived."""
    objective = await objectives.activate(ctx, objective_id)
    response.headers["ETag"] = etag(objective.revision)
    return ObjectiveOut.of(objective)
