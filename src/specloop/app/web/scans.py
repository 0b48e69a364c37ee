"""Pages of scans: the list, the form that starts one, and one scan with its progress, clusters, candidates, events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response, StreamingResponse

from specloop.app.web.choices import (
    Objectives,
    SampleSets,
    agent_choices,
    objective_choices,
    sample_set_choices,
)
from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.scan_live import follow, live_view
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import SpecloopError
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.service import SampleService
from specloop.improve.scans.model import Cluster, Scan, ScanEvent, Status
from specloop.improve.scans.repository.runs import Wanted
from specloop.improve.scans.schema import ScanCreate
from specloop.improve.scans.service import Scans, reading
from specloop.run import agents
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/scans"
Scanning = Annotated[Scans, Depends(provided(Scans))]
NEEDED = (
    ("agents", "An agent", "What is improved: one that runs here or over HTTP."),
    ("objectives", "An objective", "What counts as better: rubrics, weights, limits. Made through the API."),
    ("sample_sets", "A sample set", "Tasks with known answers, uploaded through the API or taken from traces."),
)
HASH_LENGTH = 64
TABS = ("clusters", "candidates", "events", "about")


@router.get(PREFIX)
@requires("read:workspace")
async def show_scans(ctx: Ctx, frame: FrameHere, scans: Scanning, workspace_id: str) -> Response:
    """The newest first."""
    query = frame.query("status", "agent_id")
    if query.get("status") not in set(Status):
        query.pop("status", None)
    found = await scans.list(ctx, Wanted(query.get("status"), query.get("agent_id")), frame.page_request())
    choices = await agent_choices(ctx)
    names = dict(choices)
    page = {
        "results": [view_of(ctx, scan, names.get(scan.agent_id, "an agent")) for scan in found.results],
        "total": found.total,
        "limit": found.limit,
        "offset": found.offset,
    }
    shown = {"state": query.get("status", ""), "agent": names.get(query.get("agent_id", ""), "")}
    return frame.page(
        "scans",
        scans=page,
        query=query,
        agents=choices,
        shown_filters={name: value for name, value in shown.items() if value},
    )


def view_of(ctx: Context, scan: Scan, agent_name: str) -> dict[str, Any]:
    """A scan as the templates show it: the moving part and what it found."""
    names = ("baseline", "best", "delta_val", "candidates", "frontier_size", "clusters")
    results: dict[str, Any] = {name: scan.results.get(name) for name in names}
    timings = {name: value for name, value in scan.timings.items() if isinstance(value, int | float)}
    return {
        **live_view(scan, ctx.clock.now()),
        "id": scan.id,
        "name": scan.name,
        "agent_id": scan.agent_id,
        "agent_name": agent_name,
        "outcome": scan.outcome,
        "results": {**results, "changeset_ids": scan.results.get("changeset_ids") or []},
        "seed": scan.seed,
        "engine_versions": scan.engine_versions,
        "timings": timings,
        "is_insight": bool(scan.draft_insight),
        "created_at": scan.created_at,
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
    }


@router.get(PREFIX + "/new")
@requires("write:workspace")
async def show_new_scan(
    ctx: Ctx, frame: FrameHere, objectives: Objectives, samples: SampleSets, workspace_id: str
) -> Response:
    """The form, or what is still missing for it."""
    return await _new_page(ctx, frame, objectives, samples, Form())


async def _new_page(
    ctx: Context, frame: Frame, objectives: ObjectiveService, samples: SampleService, form: Form, status: int = 200
) -> Response:
    choices = {
        "agents": await agent_choices(ctx, is_active=True),
        "objectives": await objective_choices(ctx, objectives),
        "sample_sets": await sample_set_choices(ctx, samples),
    }
    missing: list[dict[str, Any]] = []
    if not all(choices.values()):
        missing = [
            {
                "is_there": bool(choices[key]),
                "title": title,
                "text": text,
                "href": f"{frame.shell.base}/agents/new" if key == "agents" else "/docs",
                "verb": "Create" if key == "agents" else "How",
            }
            for key, title, text in NEEDED
        ]
    return frame.page("scan_new", status=status, form=form, missing=missing, query=frame.query("agent_id"), **choices)


@router.post(PREFIX)
@requires("write:workspace")
async def start_scan(
    ctx: Ctx,
    frame: FrameHere,
    scans: Scanning,
    objectives: Objectives,
    samples: SampleSets,
    workspace_id: str,
    posted: Posted,
) -> Response:
    """Queues a scan and goes to its page."""
    try:
        values: dict[str, Any] = {name: value for name, value in posted.items() if value}
        budget = {name: values.pop(name, None) for name in ("max_evaluations", "max_wall_s")}
        scan = await scans.start(ctx, parsed(ScanCreate, {**values, "budget": budget}).to_model())
    except SpecloopError as error:
        form = await refused(ctx, error, posted)
        return await _new_page(ctx, frame, objectives, samples, form, error.status)
    return frame.go(f"{frame.shell.base}/scans/{scan.id}")


@router.get(PREFIX + "/{scan_id}")
@requires("read:workspace")
async def show_scan(ctx: Ctx, frame: FrameHere, scans: Scanning, workspace_id: str, scan_id: str) -> Response:
    """One scan, on one of its tabs."""
    scan = await scans.read(ctx, scan_id.lower())
    tab = frame.request.query_params.get("tab", "")
    tab = tab if tab in TABS else TABS[0]
    name = (await agents.find(ctx, scan.agent_id)).name
    counts = {
        "clusters": scan.results.get("clusters") or 0,
        "candidates": scan.results.get("candidates") or 0,
        "events": scan.last_seq,
    }
    found = await _tab(ctx, frame, scans, scan, tab)
    return frame.page("scan", scan=view_of(ctx, scan, name), tab=tab, counts=counts, **found)


async def _tab(ctx: Context, frame: Frame, scans: Scans, scan: Scan, tab: str) -> dict[str, Any]:
    """What one tab shows; the others stay unread."""
    found: dict[str, Any] = {"clusters": [], "candidates": None, "events": []}
    match tab:
        case "clusters":
            page = await reading.clusters(ctx, scan.id, PageRequest(limit=LIMIT_MAX))
            found["clusters"] = [cluster_of(one) for one in page.results]
        case "candidates":
            found["candidates"] = await reading.candidates(ctx, scan.id, frame.page_request(50))
        case "events":
            start = max(0, scan.last_seq - LIMIT_MAX)
            events = await scans.events(ctx, scan.id, None, None, PageRequest(limit=LIMIT_MAX, offset=start))
            found["events"] = [_event(one) for one in reversed(events.results)]
        case _:
            pass
    return found


def cluster_of(cluster: Cluster) -> dict[str, Any]:
    """A cluster as a list shows it; patterns lie inside their kind."""
    return {
        "name": cluster.name,
        "kind": cluster.kind,
        "description": cluster.description,
        "size": cluster.size,
        "share": cluster.share,
        "severity": cluster.severity,
        "is_pattern": cluster.parent_id is not None,
        "top_terms": cluster.body.get("top_terms") or [],
        "exemplars": [],
    }


def _event(event: ScanEvent) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "type": event.type,
        "phase": event.phase,
        "level": event.level,
        "ts": event.ts,
        "text": told(event.data),
    }


def told(data: Mapping[str, Any]) -> str:
    """An event's data in one line: the plain values, and how many of the rest."""
    parts: list[str] = []
    for name, value in data.items():
        if isinstance(value, float):
            parts.append(f"{name} {value:.4g}")
        elif isinstance(value, list | dict):
            parts.append(f"{len(value)} {name}")  # pyright: ignore[reportUnknownArgumentType]  JSON of any shape
        elif value not in (None, ""):
            text = str(value)
            parts.append(f"{name} {text[:8] if len(text) == HASH_LENGTH else text[:80]}")
    return ", ".join(parts)[:400]


@router.get(PREFIX + "/{scan_id}/stream")
@requires("read:workspace")
async def stream_progress(
    ctx: Ctx, frame: FrameHere, scans: Scanning, workspace_id: str, scan_id: str
) -> StreamingResponse:
    """The moving part, again whenever it changed, until the scan has ended."""
    await scans.read(ctx, scan_id.lower())
    lines = follow(frame, ctx.principal, scans, scan_id.lower())
    return StreamingResponse(
        lines, media_type="text/event-stream", headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


@router.post(PREFIX + "/{scan_id}/cancel")
@requires("write:workspace")
async def cancel_scan(
    ctx: Ctx, frame: FrameHere, scans: Scanning, workspace_id: str, scan_id: str, posted: Posted
) -> Response:
    """Stops it at its next checkpoint."""
    here = f"{frame.shell.base}/scans/{scan_id}"
    try:
        await scans.cancel(ctx, scan_id.lower())
    except SpecloopError as error:
        await refused(ctx, error, posted)
        return frame.go(here, error.detail, is_bad=True)
    return frame.go(here, "The scan stops at its next checkpoint.")


@router.post(PREFIX + "/{scan_id}/retry")
@requires("write:workspace")
async def retry_scan(
    ctx: Ctx, frame: FrameHere, scans: Scanning, workspace_id: str, scan_id: str, posted: Posted
) -> Response:
    """A new scan with the same wishes."""
    try:
        scan = await scans.retry(ctx, scan_id.lower())
    except SpecloopError as error:
        await refused(ctx, error, posted)
        return frame.go(f"{frame.shell.base}/scans/{scan_id}", error.detail, is_bad=True)
    return frame.go(f"{frame.shell.base}/scans/{scan.id}")
