"""Analytics: what sessions and agent calls used, cost and failed at, over a period that the address names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web import figures
from specloop.app.web.analysed.call_sheets import call_sheets
from specloop.app.web.analysed.call_sheets import micro as micro_of
from specloop.app.web.analysed.columns import columns_of
from specloop.app.web.analysed.period import LENGTHS, Period, read_period
from specloop.app.web.analysed.recorded_sheets import days_sheet, group_sheet, micro, tools_sheet
from specloop.app.web.analysed.sheets import Sheet, as_csv
from specloop.app.web.frame import FrameHere, page_router
from specloop.app.web.traces import Glance
from specloop.db.context import Context
from specloop.errors import NotFound
from specloop.record.projects import ProjectService
from specloop.record.sessions import SessionFilters, Statistics
from specloop.record.traces.service.glance import TraceGlance
from specloop.record.traces.trends import Trends
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX: Final = "/app/w/{workspace_id}/analytics"
Figures = Annotated[Statistics, Depends(provided(Statistics))]
Projects = Annotated[ProjectService, Depends(provided(ProjectService))]
PATIENCE_SECONDS: Final = 0.04
CALLS_PART: Final = "calls"


@router.get(PREFIX)
@requires("read:workspace")
async def show_analytics(
    ctx: Ctx, frame: FrameHere, glance: Glance, statistics: Figures, projects: Projects, workspace_id: str
) -> Response:
    """`?days=` or `?from=&to=`. Figures of agent calls come by themselves when they take longer than a moment."""
    period = read_period(frame.request.query_params, ctx.clock.now().date())
    is_part = frame.request.headers.get("hx-target") == CALLS_PART
    is_patient = is_part or "wait" in frame.request.query_params
    trends = await glance.trends(ctx, period.start, period.end, patience=None if is_patient else PATIENCE_SECONDS)
    calls: dict[str, Any] = {"period": period, "calls": None if trends is None else _calls(trends, period)}
    if is_part:
        return frame.part("calls", **calls)
    return frame.page(
        "analytics",
        lengths=LENGTHS,
        sessions=await _sessions(ctx, statistics, projects, period),
        **calls,
    )


@router.get(PREFIX + "/{sheet}.csv")
@requires("read:workspace")
async def download_sheet(
    ctx: Ctx,
    frame: FrameHere,
    glance: Glance,
    statistics: Figures,
    projects: Projects,
    workspace_id: str,
    sheet: str,
) -> Response:
    """One table of the page as a CSV file."""
    period = read_period(frame.request.query_params, ctx.clock.now().date())
    found = await _sheet(ctx, glance, statistics, projects, period, sheet)
    if found is None:
        raise NotFound("There is no such table.")
    name = f"{found.key}-{period.first.isoformat()}-{period.last.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(as_csv(found), media_type="text/csv; charset=utf-8", headers=headers)


async def _sheet(
    ctx: Context, glance: TraceGlance, statistics: Statistics, projects: ProjectService, period: Period, key: str
) -> Sheet | None:
    if key.startswith("call"):
        trends = await glance.trends(ctx, period.start, period.end)
        return None if trends is None else call_sheets(trends, period.days).get(key)
    sheets: Mapping[str, Sheet] = (await _sessions(ctx, statistics, projects, period))["sheets"]
    return sheets.get(key)


async def _sessions(ctx: Context, statistics: Statistics, projects: ProjectService, period: Period) -> dict[str, Any]:
    """The visitor's own recorded sessions."""
    chosen = SessionFilters(since=period.start, until=period.end - timedelta(microseconds=1))
    total = await statistics.totals(ctx, chosen)
    names = {one.client_id: one.name for one in await projects.list_projects(ctx)}
    days = days_sheet(period.days, await statistics.by_day(ctx, chosen), await statistics.activity(ctx, chosen))
    sheets = (
        days,
        group_sheet("project", "Sessions by project", "Project", await statistics.by_project(ctx, chosen), names),
        group_sheet("model", "Sessions by model", "Model", await statistics.by_model(ctx, chosen)),
        group_sheet("agent", "Sessions by agent", "Agent", await statistics.by_agent(ctx, chosen)),
        tools_sheet(await statistics.tools(ctx, chosen)),
    )
    return {
        "total": {
            "sessions": total.sessions,
            "input": total.input_tokens,
            "output": total.output_tokens,
            "cache_read": total.cache_read_tokens,
            "cost_micro": micro(total.cost_usd),
            "unpriced": total.unpriced,
        },
        "days": days,
        "charts": [
            ("Sessions begun", columns_of(days.column("sessions"), figures.count, "Sessions begun")),
            ("Cost", columns_of(days.column("cost_usd"), _money, "Cost of sessions")),
        ],
        "sheets": {sheet.key: sheet for sheet in sheets},
    }


def _calls(trends: Trends, period: Period) -> dict[str, Any]:
    """The workspace's agent calls."""
    sheets = call_sheets(trends, period.days)
    days = sheets["calls-by-day"]
    return {
        "total": {
            "traces": trends.traces,
            "spans": trends.spans,
            "failed": trends.errors,
            "input": trends.usage.input_tokens,
            "output": trends.usage.output_tokens,
            "cost_micro": micro_of(trends.usage.cost_usd),
            "unpriced": trends.usage.calls_unpriced,
        },
        "read_at": trends.read_at,
        "days": days,
        "charts": [
            ("Traces", columns_of(days.column("traces"), figures.count, "Traces")),
            ("Cost", columns_of(days.column("cost_usd"), _money, "Cost of model calls")),
        ],
        "sheets": sheets,
    }


def _money(micro_usd: float) -> str:
    return figures.money(round(micro_usd))
