"""Router 7, the runs themselves: start, watch, steer. Translates only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request, Response

from specloop.db.paging import PageRequest
from specloop.errors import BadRequest
from specloop.identity.scopes import Scope
from specloop.improve.scans.repository.runs import Wanted
from specloop.improve.scans.rest.streaming import stream_events
from specloop.improve.scans.schema import EventOut, PreflightOut, ScanCreate, ScanOut, ScanUpdate
from specloop.improve.scans.service import Scans
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import CursorParams, PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided
from specloop.transport.schema import Moment

router = api_router("/api/v1/workspaces/{workspace_id}/scans", tags=["scans"])
Service = Annotated[Scans, Depends(provided(Scans))]
Status = Literal["scheduled", "queued", "running", "paused", "cancelling", "completed", "failed", "cancelled"]


@router.post("", status_code=202, summary="Start a scan")
@requires(Scope.WRITE_WORKSPACE)
async def start_scan(ctx: Ctx, scans: Service, body: ScanCreate, response: Response) -> ScanOut:
    """202; 400 while another scan of the agent is active."""
    scan = await scans.start(ctx, body.to_model())
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/scans/{scan.id}"
    return ScanOut.of(scan)


@router.get("", response_model=PageBody[ScanOut], summary="List scans")
@requires(Scope.READ_WORKSPACE)
async def list_scans(
    ctx: Ctx,
    scans: Service,
    page: Annotated[PageRequest, sorted_by("created_at", "updated_at", "status")],
    status: Status | None = None,
    agent_id: Annotated[str | None, Query(max_length=36)] = None,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Newest first; `from` is inclusive, `to` exclusive."""
    wanted = Wanted(status, agent_id, start, end)
    return page_body(await scans.list(ctx, wanted, page), ScanOut.of)


@router.post("/preflight", summary="Whether a scan could start")
@requires(Scope.WRITE_WORKSPACE)
async def preflight_scan(ctx: Ctx, scans: Service, body: ScanCreate) -> PreflightOut:
    """Counts, power and blockers; starts nothing."""
    return PreflightOut.model_validate(await scans.preflight(ctx, body.to_model()))


@router.get("/{scan_id}", summary="Read a scan")
@requires(Scope.READ_WORKSPACE)
async def read_scan(ctx: Ctx, scans: Service, scan_id: str, response: Response) -> ScanOut:
    """Status, phase, progress, results."""
    scan = await scans.read(ctx, scan_id)
    response.headers["ETag"] = etag(scan.revision)
    return ScanOut.of(scan)


@router.patch("/{scan_id}", summary="Rename or relabel a scan")
@requires(Scope.WRITE_WORKSPACE)
async def update_scan(ctx: Ctx, scans: Service, scan_id: str, body: ScanUpdate, request: Request) -> ScanOut:
    """Nothing else of a scan can change."""
    check_if_match(request, (await scans.read(ctx, scan_id)).revision)
    return ScanOut.of(await scans.update(ctx, scan_id, body.name, body.labels))


@router.get(
    "/{scan_id}/events",
    response_model=PageBody[EventOut],
    summary="What happens in a scan",
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
@requires(Scope.READ_WORKSPACE)
async def list_scan_events(
    ctx: Ctx,
    scans: Service,
    scan_id: str,
    page: CursorParams,
    request: Request,
    type: Annotated[str | None, Query(max_length=40)] = None,
    level: Literal["info", "warning", "error"] | None = None,
) -> Any:
    """A page, or with `Accept: text/event-stream` a stream that goes on behind `Last-Event-ID`."""
    if "text/event-stream" in request.headers.get("accept", ""):
        await scans.read(ctx, scan_id)
        return stream_events(request, ctx.principal, scan_id, _last_event_id(request))
    if page.cursor is not None and not (page.cursor.isascii() and page.cursor.isdigit() and len(page.cursor) < 16):
        raise BadRequest("this is no cursor of this list")
    return page_body(await scans.events(ctx, scan_id, type, level, page), EventOut.of)


def _last_event_id(request: Request) -> int:
    text = request.headers.get("last-event-id", "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


@router.post("/{scan_id}/cancel", status_code=202, summary="Cancel a scan")
@requires(Scope.WRITE_WORKSPACE)
async def cancel_scan(ctx: Ctx, scans: Service, scan_id: str) -> ScanOut:
    """A running scan stops at its next checkpoint; what it found stays."""
    return ScanOut.of(await scans.cancel(ctx, scan_id))


@router.post("/{scan_id}/pause", status_code=202, summary="Pause a scan")
@requires(Scope.WRITE_WORKSPACE)
async def pause_scan(ctx: Ctx, scans: Service, scan_id: str) -> ScanOut:
    """At its next checkpoint."""
    return ScanOut.of(await scans.pause(ctx, scan_id))


@router.post("/{scan_id}/resume", status_code=202, summary="Resume a paused scan")
@requires(Scope.WRITE_WORKSPACE)
async def resume_scan(ctx: Ctx, scans: Service, scan_id: str) -> ScanOut:
    """It goes on at its checkpoint."""
    return ScanOut.of(await scans.resume(ctx, scan_id))


@router.post("/{scan_id}/retry", status_code=202, summary="Try a failed or cancelled scan again")
@requires(Scope.WRITE_WORKSPACE)
async def retry_scan(ctx: Ctx, scans: Service, scan_id: str, response: Response) -> ScanOut:
    """202 with a new scan; the old one never changes."""
    scan = await scans.retry(ctx, scan_id)
    response.headers["Location"] = f"/api/v1/workspaces/{ctx.workspace_id}/scans/{scan.id}"
    return ScanOut.of(scan)
