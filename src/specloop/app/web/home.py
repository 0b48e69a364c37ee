"""Home of a workspace: what waits for you, three figures for each stage, what happened since yesterday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from specloop.app.web import figures
from specloop.app.web.analysed.week import Week, recorded_since_yesterday, week_figures
from specloop.app.web.analytics import PATIENCE_SECONDS, Figures
from specloop.app.web.choices import Objectives, SampleSets
from specloop.app.web.frame import Frame, FrameHere, Proposed, page_router
from specloop.app.web.nav import STAGES
from specloop.app.web.scans import Scanning
from specloop.app.web.traces import Glance
from specloop.app.web.workspaces import WORKSPACE_COOKIE
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.identity import audit
from specloop.identity.audit import AuditEvent, AuditFilter
from specloop.identity.auth.cookies import is_secure
from specloop.improve.changesets.model import ChangeSet
from specloop.improve.changesets.repository import Wanted as ChangeSetsWanted
from specloop.improve.scans.model import Scan, Status
from specloop.improve.scans.repository.runs import Wanted as ScansWanted
from specloop.record.sessions import SessionFilters, Statistics
from specloop.record.traces.service.glance import TraceGlance
from specloop.run import agents
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx

router = page_router()
ONE = PageRequest(limit=1)
FEW = PageRequest(limit=5)
HAPPENED_MAX = 10
YEAR_SECONDS = 365 * 24 * 3600
_ICONS = {"agent": "agent", "key": "key", "scan": "scan", "changeset": "change", "session": "device", "user": "people"}


@router.get("/app/w/{workspace_id}")
@requires("read:workspace")
async def show_home(
    ctx: Ctx,
    frame: FrameHere,
    proposals: Proposed,
    scans: Scanning,
    glance: Glance,
    statistics: Figures,
    objectives: Objectives,
    samples: SampleSets,
    workspace_id: str,
) -> Response:
    """The first page of every visit; the browser remembers which workspace it was."""
    proposed = await proposals.list(ctx, ChangeSetsWanted(status="proposed"), FEW)
    failed = await scans.list(ctx, ScansWanted(status=Status.FAILED.value), FEW)
    proved = await proposals.list(ctx, ChangeSetsWanted(verdict="pass"), PageRequest(limit=LIMIT_MAX))
    scanned = await scans.list(ctx, ScansWanted(), ONE)
    known = await agents.list_agents(ctx, None, None, PageRequest(limit=LIMIT_MAX))
    steps: list[dict[str, Any]] = []
    if not scanned.total and frame.shell.may("write:workspace"):
        has_samples = bool((await samples.list_sets(ctx, ONE)).total)
        has_objective = bool((await objectives.list(ctx, ONE)).total)
        steps = _steps(frame, has_agent=bool(known.total), has_samples=has_samples, has_objective=has_objective)
    run = [
        ("Agents", figures.count(known.total or 0), ""),
        ("Versions", figures.count(sum(one.agent.latest_version for one in known.results)), ""),
        ("Promoted this week", figures.count(await _count_since(ctx, "agent.promoted", days=7)), ""),
    ]
    gains = [change.metrics["holdout"]["delta"] for change in proved.results if change.metrics.get("holdout")]
    improve = [
        ("Scans this week", figures.count(await _count_since(ctx, "scan.queued", days=7)), ""),
        ("Changes to review", figures.count(proposed.total or 0), ""),
        ("Best proved gain", figures.points(max(gains, default=None)), "on a sealed holdout"),
    ]
    week = await _week(ctx, glance, statistics)
    cards = _cards(frame, {"run": run, "record": week_figures(week), "improve": improve})
    response = frame.page(
        "home",
        steps=steps,
        demo_command="make demo" if steps else "",
        waiting=_waiting(ctx, frame, proposed.results, failed.results),
        cards=cards,
        recorded=recorded_since_yesterday(week, frame.shell.base),
        happened=await _happened(ctx, frame),
    )
    secure = is_secure(frame.request)
    response.set_cookie(
        WORKSPACE_COOKIE, ctx.workspace_id, max_age=YEAR_SECONDS, path="/app", secure=secure, httponly=True
    )
    return response


def _steps(frame: Frame, *, has_agent: bool, has_samples: bool, has_objective: bool) -> list[dict[str, Any]]:
    base = frame.shell.base
    rows = (
        (has_agent, f"{base}/agents/new", "Create an agent", "A configuration with versions that your services fetch."),
        (has_samples, "/docs", "Bring a sample set", "Tasks with known answers, through the API: samples/sets."),
        (has_objective, "/docs", "Say what is better", "A rubric and an objective, through the API: evaluations."),
        (False, f"{base}/scans/new", "Start a scan", "Failures are clustered, changes are tried, the best is proved."),
    )
    return [{"is_done": done, "href": href, "title": title, "text": text} for done, href, title, text in rows]


def _waiting(ctx: Context, frame: Frame, proposed: Sequence[ChangeSet], failed: Sequence[Scan]) -> list[dict[str, Any]]:
    base = frame.shell.base
    rows = [
        {
            "state": change.verdict or "proposed",
            "word": None if change.verdict else "not proved",
            "href": f"{base}/changesets/{change.id}",
            "title": change.title,
            "text": _proof_line(change),
            "since": change.created_at,
            "verb": "Review",
        }
        for change in proposed
    ]
    recently = ctx.clock.now() - timedelta(days=7)
    return rows + [
        {
            "state": "failed",
            "word": "failed",
            "href": f"{base}/scans/{scan.id}",
            "title": scan.name or "Scan",
            "text": str(scan.error.get("detail") or "It stopped without saying why."),
            "since": scan.finished_at or scan.updated_at,
            "verb": "Look",
        }
        for scan in failed
        if scan.updated_at > recently
    ]


def _proof_line(change: ChangeSet) -> str:
    holdout: dict[str, Any] = change.metrics.get("holdout") or {}
    if holdout.get("delta") is None:
        return change.summary or "The proof on the sealed holdout has not run."
    p_value = figures.probability(holdout.get("p_value"))
    return f"{figures.points(holdout['delta'])} on {figures.count(holdout.get('n'))} sealed tasks, p {p_value}"


def _cards(frame: Frame, rows: dict[str, list[tuple[str, str, str]]]) -> list[dict[str, Any]]:
    return [
        {
            "key": stage.key,
            "name": stage.name,
            "what": stage.what,
            "href": f"{frame.shell.base}{stage.items[0].path}" if stage.items else None,
            "figures": [
                {"name": name, "value": value, "title": title} for name, value, title in rows.get(stage.key, [])
            ],
        }
        for stage in STAGES
    ]


async def _week(ctx: Context, glance: TraceGlance, statistics: Statistics) -> Week:
    today = ctx.clock.now().date()
    start = datetime.combine(today - timedelta(days=6), time(), UTC)
    chosen = SessionFilters(since=start)
    return Week(
        today=today,
        total=await statistics.totals(ctx, chosen),
        tools=await statistics.tools(ctx, chosen),
        activity=await statistics.activity(ctx, chosen),
        trends=await glance.trends(ctx, start, start + timedelta(days=7), patience=PATIENCE_SECONDS),
    )


async def _count_since(ctx: Context, action: str, *, days: int) -> int:
    since = ctx.clock.now() - timedelta(days=days)
    wanted = AuditFilter(ctx.principal.account_id, ctx.workspace_id, action=action, since=since)
    return (await audit.list_events(ctx, wanted, ONE)).total or 0


async def _happened(ctx: Context, frame: Frame) -> list[dict[str, Any]]:
    """The last acts of a day; the log names people, so it is for those who may read it."""
    if not frame.shell.may("admin:workspace"):
        return []
    since = ctx.clock.now() - timedelta(days=1)
    wanted = AuditFilter(ctx.principal.account_id, ctx.workspace_id, since=since)
    found = await audit.list_events(ctx, wanted, PageRequest(limit=40))
    return folded([_fact(frame, event) for event in found.results])


def folded(facts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same act by the same person several times in a row is one line with a number."""
    lines: list[dict[str, Any]] = []
    for fact in facts:
        is_same = bool(lines) and all(lines[-1][name] == fact[name] for name in ("text", "actor", "href"))
        if is_same:
            lines[-1]["times"] += 1
        else:
            lines.append({**fact, "times": 1})
    return lines[:HAPPENED_MAX]


def _fact(frame: Frame, event: AuditEvent) -> dict[str, Any]:
    pages = {"agent": "agents", "scan": "scans", "changeset": "changesets"}
    kind, _, act = event.action.partition(".")
    name = str(event.detail.get("name") or event.detail.get("title") or "")
    subject = {"changeset": "Change set", "key": "API key"}.get(kind, figures.words(kind).capitalize())
    where = pages.get(event.target_type)
    return {
        "icon": _ICONS.get(kind, "dot"),
        "text": f"{subject}{f' “{name}”' if name else ''} {figures.words(act)}",
        "href": f"{frame.shell.base}/{where}/{event.target_id}" if where else "",
        "actor": event.actor_name or event.actor_kind,
        "at": event.at,
    }
