"""Pages of change sets: the list, and the review with its evidence, gates, clusters, edits and decision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web.choices import agent_choices
from specloop.app.web.frame import Frame, FrameHere, Posted, Proposed, page_router, parsed, refused
from specloop.app.web.review import cluster_of, plots_of, review_of
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.paging import PageRequest
from specloop.errors import SpecloopError
from specloop.identity import accounts, workspaces
from specloop.identity.workspaces import AutonomyMode
from specloop.improve.changesets.model import ChangeSet, Status
from specloop.improve.changesets.repository import Wanted
from specloop.improve.changesets.schema import AcceptBody, RejectBody, RollbackBody
from specloop.improve.changesets.service import Decisions, Validations, explain
from specloop.improve.scans.service import Clusters
from specloop.kit.ids import parse_uuid
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/changesets"
Decided = Annotated[Decisions, Depends(provided(Decisions))]
Grouped = Annotated[Clusters, Depends(provided(Clusters))]
Validated = Annotated[Validations, Depends(provided(Validations))]
CLUSTERS_MAX = 12
EXAMPLES = PageRequest(limit=3)


@router.get(PREFIX)
@requires("read:workspace")
async def show_changesets(ctx: Ctx, frame: FrameHere, proposals: Proposed, workspace_id: str) -> Response:
    """The newest first."""
    query = frame.query("status", "verdict")
    if query.get("status") not in set(Status):
        query.pop("status", None)
    found = await proposals.list(
        ctx, Wanted(status=query.get("status"), verdict=query.get("verdict")), frame.page_request()
    )
    names = dict(await agent_choices(ctx))
    page = {
        "results": [_row(one, names) for one in found.results],
        "total": found.total,
        "limit": found.limit,
        "offset": found.offset,
    }
    return frame.page("changesets", changesets=page, query=query)


def _row(change: ChangeSet, names: Mapping[str, str]) -> dict[str, Any]:
    holdout: dict[str, Any] = change.metrics.get("holdout") or {}
    return {
        "id": change.id,
        "title": change.title,
        "agent_name": ", ".join(names.get(agent_id, "an agent") for agent_id in change.agent_ids),
        "status": change.status.value,
        "verdict": change.verdict,
        "delta": holdout.get("delta"),
        "risk": change.risk,
        "created_at": change.created_at,
        "edit_count": len(change.edits),
    }


@router.get(PREFIX + "/{changeset_id}")
@requires("read:workspace")
async def show_changeset(
    ctx: Ctx, frame: FrameHere, proposals: Proposed, clusters: Grouped, workspace_id: str, changeset_id: str
) -> Response:
    """The review."""
    return await _page(ctx, frame, clusters, await proposals.read(ctx, changeset_id.lower()), Form())


async def _page(
    ctx: Context, frame: Frame, clusters: Clusters, change: ChangeSet, form: Form, status: int = 200
) -> Response:
    mode = (await workspaces.current(ctx)).autonomy.mode
    may_approve = frame.shell.may("approve:agents")
    is_open = change.status is Status.PROPOSED
    is_live = change.status in {Status.ACCEPTED, Status.APPLIED}
    names = dict(await agent_choices(ctx))
    shown = review_of(change, names, await _clusters(ctx, change, clusters), await _person(ctx, change.decided_by))
    return frame.page(
        "changeset",
        status=status,
        change=shown,
        plots=plots_of(shown),
        form=form,
        can_decide=is_open and may_approve,
        may_validate=is_open and change.verdict is None and change.objective_version_id is not None,
        may_roll_back=is_live and may_approve and mode in {AutonomyMode.MANUAL, AutonomyMode.BOUNDED_AUTO},
        blocked=_blocked(mode, change),
    )


def _blocked(mode: AutonomyMode, change: ChangeSet) -> str:
    """Why nobody can accept it now, or nothing."""
    if mode is AutonomyMode.OBSERVE_ONLY:
        return "This workspace only observes. Change its autonomy in the settings to accept changes."
    if mode is AutonomyMode.BOUNDED_AUTO and change.verdict != "pass":
        return "With automatic changes on, only a proved change can be accepted."
    return ""


async def _clusters(ctx: Context, change: ChangeSet, clusters: Clusters) -> list[dict[str, Any]]:
    """The clusters that the change was made from, each with the examples nearest to its centre."""
    why: list[dict[str, Any]] = explain(change)["why"]
    sizes = {one.id: one.size for one in await clusters.tree(ctx, change.id)}
    found: list[dict[str, Any]] = []
    for one in why[:CLUSTERS_MAX]:
        known = str(one.get("cluster_id") or "")
        members = await clusters.members(ctx, change.id, known, EXAMPLES) if known in sizes else None
        found.append(cluster_of(one, sizes, members.results if members else ()))
    return found


async def _person(ctx: Context, actor: str | None) -> str:
    if actor is None or parse_uuid(actor) is None:
        return actor or ""
    user = await accounts.find_user(ctx, actor)
    return (user.name or user.email) if user else "somebody who left"


@router.post(PREFIX + "/{changeset_id}/accept")
@requires("approve:agents")
async def accept(
    ctx: Ctx,
    frame: FrameHere,
    proposals: Proposed,
    decisions: Decided,
    workspace_id: str,
    changeset_id: str,
    posted: Posted,
    clusters: Grouped,
) -> Response:
    """Serves the edits from the next call on."""
    try:
        reason = posted.get("reason", "").strip()
        body = parsed(AcceptBody, {"note": posted.get("note", ""), "override": bool(reason), "reason": reason})
        await decisions.accept(ctx, changeset_id.lower(), note=body.note, override=body.override, reason=body.reason)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, clusters, await proposals.read(ctx, changeset_id.lower()), form, error.status)
    return frame.go(f"{frame.shell.base}/changesets/{changeset_id}", "Accepted. The next call gets it.")


@router.post(PREFIX + "/{changeset_id}/reject")
@requires("approve:agents")
async def reject(
    ctx: Ctx,
    frame: FrameHere,
    proposals: Proposed,
    decisions: Decided,
    workspace_id: str,
    changeset_id: str,
    posted: Posted,
    clusters: Grouped,
) -> Response:
    """Ends a proposal."""
    try:
        body = parsed(RejectBody, {"reason": posted.get("reject_reason", "")})
        await decisions.reject(ctx, changeset_id.lower(), body.reason, body.cluster_feedback)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, clusters, await proposals.read(ctx, changeset_id.lower()), form, error.status)
    return frame.go(f"{frame.shell.base}/changesets/{changeset_id}", "Rejected.")


@router.post(PREFIX + "/{changeset_id}/rollback")
@requires("approve:agents")
async def roll_back(
    ctx: Ctx,
    frame: FrameHere,
    proposals: Proposed,
    decisions: Decided,
    workspace_id: str,
    changeset_id: str,
    posted: Posted,
    clusters: Grouped,
) -> Response:
    """Serves the earlier configuration again, as a new version."""
    try:
        body = parsed(RollbackBody, {"reason": posted.get("reason") or "rolled back on its page"})
        await decisions.rollback(ctx, changeset_id.lower(), body.reason, cascade=False)
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, clusters, await proposals.read(ctx, changeset_id.lower()), form, error.status)
    return frame.go(f"{frame.shell.base}/changesets/{changeset_id}", "Rolled back.")


@router.post(PREFIX + "/{changeset_id}/validate")
@requires("approve:agents", "write:workspace")
async def validate(
    ctx: Ctx,
    frame: FrameHere,
    proposals: Proposed,
    validations: Validated,
    workspace_id: str,
    changeset_id: str,
    posted: Posted,
    clusters: Grouped,
) -> Response:
    """Starts the proof on the sealed holdout."""
    try:
        await validations.start(ctx, changeset_id.lower())
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _page(ctx, frame, clusters, await proposals.read(ctx, changeset_id.lower()), form, error.status)
    return frame.go(f"{frame.shell.base}/changesets/{changeset_id}", "The proof is running.")
