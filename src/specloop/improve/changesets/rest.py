"""Routers 8 and 11: change sets and their holdout validation over REST (spectral.md §1.3). Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse

from specloop.db.paging import PageRequest
from specloop.identity.scopes import Scope
from specloop.improve.changesets.repository import Wanted
from specloop.improve.changesets.schema import (
    AcceptBody,
    ApplyBody,
    ChangeSetCreate,
    ChangeSetOut,
    ChangeSetSummary,
    ChangeSetUpdate,
    CommentBody,
    CommentOut,
    DiffOut,
    EventOut,
    RejectBody,
    RollbackBody,
    ValidationBody,
    ValidationOut,
    wanted_edits,
)
from specloop.improve.changesets.service import Decisions, Proposals, Validations, unified_diff
from specloop.improve.changesets.service.explaining import edit_as_json
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/changesets", tags=["changesets"])
Proposed = Annotated[Proposals, Depends(provided(Proposals))]
Decided = Annotated[Decisions, Depends(provided(Decisions))]
Validated = Annotated[Validations, Depends(provided(Validations))]
Status = Literal["proposed", "validating", "accepted", "applied", "rejected", "rolled_back", "expired", "superseded"]


@router.get("", response_model=PageBody[ChangeSetSummary], summary="List change sets")
@requires(Scope.READ_WORKSPACE)
async def list_changesets(
    ctx: Ctx,
    proposals: Proposed,
    page: Annotated[PageRequest, sorted_by("created_at", "updated_at", "status", "title")],
    status: Status | None = None,
    agent_id: Annotated[str | None, Query(max_length=36)] = None,
    scan_id: Annotated[str | None, Query(max_length=36)] = None,
    verdict: Literal["pass", "fail", "inconclusive"] | None = None,
    risk: Literal["low", "medium", "high"] | None = None,
) -> dict[str, Any]:
    """Newest first, without edits."""
    wanted = Wanted(status, agent_id, scan_id, verdict, risk)
    return page_body(await proposals.list(ctx, wanted, page), ChangeSetSummary.of)


@router.post("", status_code=201, summary="Propose a change set by hand")
@requires(Scope.WRITE_WORKSPACE)
async def create_changeset(ctx: Ctx, proposals: Proposed, body: ChangeSetCreate, response: Response) -> ChangeSetOut:
    """201 proposed, on the versions that are promoted now."""
    changeset = await proposals.create(ctx, body.to_model())
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/changesets/{changeset.id}"
    response.headers["ETag"] = etag(changeset.revision)
    return ChangeSetOut.of(changeset)


@router.get("/{changeset_id}", summary="Read a change set with its explanation")
@requires(Scope.READ_WORKSPACE)
async def read_changeset(ctx: Ctx, proposals: Proposed, changeset_id: str, response: Response) -> ChangeSetOut:
    """Edits, gates, verdict and the explainability object."""
    changeset = await proposals.read(ctx, changeset_id)
    response.headers["ETag"] = etag(changeset.revision)
    return ChangeSetOut.of(changeset)


@router.patch("/{changeset_id}", summary="Change a change set")
@requires(Scope.WRITE_WORKSPACE)
async def update_changeset(
    ctx: Ctx, proposals: Proposed, changeset_id: str, body: ChangeSetUpdate, request: Request, response: Response
) -> ChangeSetOut:
    """Title and labels always; edits while proposed, which drops the verdict."""
    check_if_match(request, (await proposals.read(ctx, changeset_id)).revision)
    edits = wanted_edits(body.edits) if body.edits is not None else None
    changeset = await proposals.update(ctx, changeset_id, body.title, body.labels, edits)
    response.headers["ETag"] = etag(changeset.revision)
    return ChangeSetOut.of(changeset)


@router.post("/{changeset_id}/accept", summary="Accept: promote the edits")
@requires(Scope.APPROVE_AGENTS)
async def accept_changeset(
    ctx: Ctx, decisions: Decided, changeset_id: str, body: AcceptBody | None = None
) -> ChangeSetOut:
    """New promoted versions, served from the next call on."""
    wanted = body or AcceptBody()
    return ChangeSetOut.of(
        await decisions.accept(ctx, changeset_id, note=wanted.note, override=wanted.override, reason=wanted.reason)
    )


@router.post("/{changeset_id}/apply", summary="Apply the edits to managed templates")
@requires(Scope.APPROVE_AGENTS)
async def apply_changeset(
    ctx: Ctx, decisions: Decided, changeset_id: str, body: ApplyBody | None = None
) -> ChangeSetOut:
    """400 when no touched agent derives from a template."""
    return ChangeSetOut.of(await decisions.apply(ctx, changeset_id, (body or ApplyBody()).templates))


@router.post("/{changeset_id}/reject", summary="Reject a proposal")
@requires(Scope.APPROVE_AGENTS)
async def reject_changeset(ctx: Ctx, decisions: Decided, changeset_id: str, body: RejectBody) -> ChangeSetOut:
    """Final."""
    return ChangeSetOut.of(await decisions.reject(ctx, changeset_id, body.reason, body.cluster_feedback))


@router.post("/{changeset_id}/rollback", summary="Roll an accepted change set back")
@requires(Scope.APPROVE_AGENTS)
async def rollback_changeset(ctx: Ctx, decisions: Decided, changeset_id: str, body: RollbackBody) -> ChangeSetOut:
    """New versions with the old content; history stays."""
    return ChangeSetOut.of(await decisions.rollback(ctx, changeset_id, body.reason, cascade=body.cascade))


@router.post("/{changeset_id}/rebase", summary="Rebase onto the current versions")
@requires(Scope.WRITE_WORKSPACE)
async def rebase_changeset(ctx: Ctx, proposals: Proposed, changeset_id: str) -> ChangeSetOut:
    """400 naming the places that changed meanwhile."""
    return ChangeSetOut.of(await proposals.rebase(ctx, changeset_id))


@router.get("/{changeset_id}/diff", response_model=DiffOut, summary="The edits as JSON or as a unified diff")
@requires(Scope.READ_WORKSPACE)
async def diff_changeset(
    ctx: Ctx, proposals: Proposed, changeset_id: str, format: Literal["json", "unified"] = "json"
) -> Any:
    """`format=unified` answers text/x-diff."""
    changeset = await proposals.read(ctx, changeset_id)
    if format == "unified":
        return PlainTextResponse(unified_diff(changeset), media_type="text/x-diff")
    return DiffOut(changeset_id=changeset.id, edits=[edit_as_json(edit) for edit in changeset.edits])


@router.get("/{changeset_id}/events", response_model=PageBody[EventOut], summary="What happened to a change set")
@requires(Scope.READ_WORKSPACE)
async def list_changeset_events(
    ctx: Ctx, proposals: Proposed, changeset_id: str, page: Annotated[PageRequest, sorted_by("seq")]
) -> dict[str, Any]:
    """Oldest first."""
    return page_body(await proposals.events(ctx, changeset_id, page), EventOut.of)


@router.get("/{changeset_id}/comments", response_model=PageBody[CommentOut], summary="List comments")
@requires(Scope.READ_WORKSPACE)
async def list_changeset_comments(
    ctx: Ctx, proposals: Proposed, changeset_id: str, page: Annotated[PageRequest, sorted_by("created_at")]
) -> dict[str, Any]:
    """Oldest first."""
    return page_body(await proposals.comments(ctx, changeset_id, page), CommentOut.of)


@router.post("/{changeset_id}/comments", status_code=201, summary="Comment on a change set")
@requires(Scope.WRITE_WORKSPACE)
async def comment_changeset(ctx: Ctx, proposals: Proposed, changeset_id: str, body: CommentBody) -> CommentOut:
    """201."""
    return CommentOut.of(await proposals.comment(ctx, changeset_id, body.text))


@router.post("/{changeset_id}/validation", status_code=202, summary="Validate on the sealed holdout")
@requires(Scope.APPROVE_AGENTS, Scope.WRITE_WORKSPACE)
async def start_validation(
    ctx: Ctx, validations: Validated, changeset_id: str, response: Response, body: ValidationBody | None = None
) -> ValidationOut:
    """202; spends one look of the holdout version."""
    wanted = body or ValidationBody()
    run = await validations.start(ctx, changeset_id, wanted.objective_id, wanted.repeats, wanted.reason)
    response.headers["Location"] = (
        f"/api/v1/workspaces/{ctx.workspace_id}/changesets/{changeset_id}/validation/{run.id}"
    )
    return ValidationOut.of(run)


@router.get("/{changeset_id}/validation", response_model=PageBody[ValidationOut], summary="List validation runs")
@requires(Scope.READ_WORKSPACE)
async def list_validations(
    ctx: Ctx, validations: Validated, changeset_id: str, page: Annotated[PageRequest, sorted_by("created_at")]
) -> dict[str, Any]:
    """Newest first."""
    return page_body(await validations.list(ctx, changeset_id, page), ValidationOut.of)


@router.get("/{changeset_id}/validation/{validation_id}", summary="Read a validation run")
@requires(Scope.READ_WORKSPACE)
async def read_validation(ctx: Ctx, validations: Validated, changeset_id: str, validation_id: str) -> ValidationOut:
    """Aggregates only; small slices are left out."""
    return ValidationOut.of(await validations.read(ctx, changeset_id, validation_id))


@router.post("/{changeset_id}/validation/{validation_id}/cancel", summary="Cancel a validation run")
@requires(Scope.APPROVE_AGENTS, Scope.WRITE_WORKSPACE)
async def cancel_validation(ctx: Ctx, validations: Validated, changeset_id: str, validation_id: str) -> ValidationOut:
    """400 when it has ended."""
    return ValidationOut.of(await validations.cancel(ctx, changeset_id, validation_id))
