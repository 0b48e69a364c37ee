"""Router 7, what scans found: candidates, frontier, clusters, evaluations, cost, report. Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from fastapi.responses import HTMLResponse, PlainTextResponse

from specloop.db.paging import PageRequest
from specloop.identity.scopes import Scope
from specloop.improve.scans.schema import CandidateDetail, CandidateOut, ClusterOut, CostOut, EvaluationOut
from specloop.improve.scans.service import reading
from specloop.improve.scans.service.reporting import as_html, as_markdown
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, PageParams, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router

router = api_router("/api/v1/workspaces/{workspace_id}/scans", tags=["scans"])
Filter = Annotated[str | None, Query(max_length=36)]


@router.get("/{scan_id}/candidates", response_model=PageBody[CandidateOut], summary="List candidates")
@requires(Scope.READ_WORKSPACE)
async def list_candidates(
    ctx: Ctx, scan_id: str, page: Annotated[PageRequest, sorted_by("ordinal", "val_score", "mb_score", "created_at")]
) -> dict[str, Any]:
    """In the order in which they were proposed, the baseline first."""
    return page_body(await reading.candidates(ctx, scan_id, page), CandidateOut.of)


@router.get("/{scan_id}/candidates/{candidate_id}", summary="Read a candidate")
@requires(Scope.READ_WORKSPACE)
async def read_candidate(ctx: Ctx, scan_id: str, candidate_id: str) -> CandidateDetail:
    """With component values and val scores by sample."""
    found, scores = await reading.candidate(ctx, scan_id, candidate_id)
    shown = CandidateOut.of(found).model_dump()
    return CandidateDetail(**shown, components=found.components, val_by_sample=scores)


@router.get("/{scan_id}/frontier", response_model=PageBody[CandidateOut], summary="The Pareto frontier")
@requires(Scope.READ_WORKSPACE)
async def list_frontier(
    ctx: Ctx, scan_id: str, page: Annotated[PageRequest, sorted_by("ordinal", "val_score", "mb_score", "created_at")]
) -> dict[str, Any]:
    """Candidates that are best on some val sample."""
    return page_body(await reading.candidates(ctx, scan_id, page, is_frontier_only=True), CandidateOut.of)


@router.get("/{scan_id}/clusters", response_model=PageBody[ClusterOut], summary="Failure clusters of a scan")
@requires(Scope.READ_WORKSPACE)
async def list_clusters(
    ctx: Ctx, scan_id: str, page: Annotated[PageRequest, sorted_by("ordinal", "size", "share")]
) -> dict[str, Any]:
    """In tree order: each kind before its patterns."""
    return page_body(await reading.clusters(ctx, scan_id, page), ClusterOut.of)


@router.get("/{scan_id}/evaluations", response_model=PageBody[EvaluationOut], summary="Evaluations of a scan")
@requires(Scope.READ_WORKSPACE)
async def list_evaluations(
    ctx: Ctx, scan_id: str, page: PageParams, candidate_id: Filter = None, sample_id: Filter = None
) -> dict[str, Any]:
    """Train and val samples only, never holdout."""
    found = await reading.evaluations(ctx, scan_id, candidate_id, sample_id, page)
    return page_body(found, EvaluationOut.model_validate)


@router.get("/{scan_id}/cost", summary="What a scan cost")
@requires(Scope.READ_WORKSPACE)
async def read_cost(ctx: Ctx, scan_id: str) -> CostOut:
    """By model and by phase."""
    return CostOut.of(await reading.cost(ctx, scan_id))


@router.get(
    "/{scan_id}/report",
    response_model=dict[str, Any],
    summary="The report of a completed scan",
    responses={
        200: {
            "content": {
                "text/markdown": {"schema": {"type": "string"}},
                "text/html": {"schema": {"type": "string"}},
            }
        }
    },
)
@requires(Scope.READ_WORKSPACE)
async def read_report(ctx: Ctx, scan_id: str, format: Literal["json", "md", "html"] = "json") -> Any:
    """400 before the scan has completed."""
    report = await reading.report(ctx, scan_id)
    match format:
        case "json":
            return report
        case "md":
            return PlainTextResponse(as_markdown(report), media_type="text/markdown")
        case "html":
            return HTMLResponse(as_html(report))
