"""Router 12: rubrics over REST (spectral.md §1.3). Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from specloop.db.paging import PageRequest
from specloop.identity.scopes import Scope
from specloop.improve.rubrics.judges import Case
from specloop.improve.rubrics.schema import (
    PreviewBody,
    PreviewOut,
    RubricCreate,
    RubricOut,
    RubricUpdate,
    RubricVersionOut,
)
from specloop.improve.rubrics.service import RubricService
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/evaluations/rubrics", tags=["rubrics"])
Rubrics = Annotated[RubricService, Depends(provided(RubricService))]


@router.post("", status_code=201, summary="Create a rubric with its scoring dimensions")
@requires(Scope.WRITE_WORKSPACE)
async def create_rubric(ctx: Ctx, rubrics: Rubrics, body: RubricCreate, response: Response) -> RubricOut:
    """201 with version 1, active unless `status` says draft."""
    rubric = await rubrics.create(ctx, body.name, body.description, body.content(), is_active=body.status == "active")
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/evaluations/rubrics/{rubric.id}"
    response.headers["ETag"] = etag(rubric.revision)
    return RubricOut.of(rubric)


@router.get("", response_model=PageBody[RubricOut], summary="List rubrics")
@requires(Scope.READ_WORKSPACE)
async def list_rubrics(
    ctx: Ctx,
    rubrics: Rubrics,
    page: Annotated[PageRequest, sorted_by("created_at", "updated_at", "name")],
    status: Literal["draft", "active", "archived"] | None = None,
) -> dict[str, Any]:
    """Archived rubrics appear only under `status=archived`."""
    return page_body(await rubrics.list(ctx, page, status), RubricOut.of)


@router.get("/{rubric_id}", summary="Read a rubric")
@requires(Scope.READ_WORKSPACE)
async def read_rubric(
    ctx: Ctx,
    rubrics: Rubrics,
    rubric_id: str,
    response: Response,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> RubricOut:
    """The newest version, or the one asked for."""
    rubric = await rubrics.read(ctx, rubric_id, version)
    response.headers["ETag"] = etag(rubric.revision)
    return RubricOut.of(rubric)


@router.patch("/{rubric_id}", summary="Change a rubric")
@requires(Scope.WRITE_WORKSPACE)
async def update_rubric(
    ctx: Ctx, rubrics: Rubrics, rubric_id: str, body: RubricUpdate, request: Request, response: Response
) -> RubricOut:
    """New dimensions go into a draft version; an active version never changes."""
    current = await rubrics.read(ctx, rubric_id)
    check_if_match(request, current.revision)
    content = body.content(current.shown.content)
    rubric = await rubrics.update(ctx, rubric_id, body.name, body.description, content)
    response.headers["ETag"] = etag(rubric.revision)
    return RubricOut.of(rubric)


@router.delete("/{rubric_id}", status_code=204, summary="Archive a rubric")
@requires(Scope.WRITE_WORKSPACE)
async def delete_rubric(ctx: Ctx, rubrics: Rubrics, rubric_id: str, request: Request) -> None:
    """400 while an active scan uses it."""
    check_if_match(request, (await rubrics.read(ctx, rubric_id)).revision)
    await rubrics.archive(ctx, rubric_id)


@router.get("/{rubric_id}/versions", response_model=PageBody[RubricVersionOut], summary="List a rubric's versions")
@requires(Scope.READ_WORKSPACE)
async def list_rubric_versions(
    ctx: Ctx, rubrics: Rubrics, rubric_id: str, page: Annotated[PageRequest, sorted_by("version")]
) -> dict[str, Any]:
    """Newest first."""
    return page_body(await rubrics.versions(ctx, rubric_id, page), RubricVersionOut.of)


@router.post("/{rubric_id}/activate", summary="Activate the newest draft")
@requires(Scope.WRITE_WORKSPACE)
async def activate_rubric(ctx: Ctx, rubrics: Rubrics, rubric_id: str, response: Response) -> RubricOut:
    """The version that was active is archived."""
    rubric = await rubrics.activate(ctx, rubric_id)
    response.headers["ETag"] = etag(rubric.revision)
    return RubricOut.of(rubric)


@router.post("/{rubric_id}/preview", summary="Judge one output")
@requires(Scope.WRITE_WORKSPACE)
async def preview_rubric(ctx: Ctx, rubrics: Rubrics, rubric_id: str, body: PreviewBody) -> PreviewOut:
    """Scores and rationales; nothing is stored."""
    case = Case(input=body.input, output=body.output, reference=body.reference)
    return PreviewOut.model_validate(await rubrics.preview(ctx, rubric_id, case, body.version))
