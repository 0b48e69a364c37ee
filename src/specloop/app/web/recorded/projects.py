"""Projects: the list, and one with its activity, its sessions, what was used in it, and its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web import figures
from specloop.app.web.frame import FrameHere, Posted, page_router, refused
from specloop.app.web.recorded.charts import day_bars, ranks
from specloop.app.web.recorded.editing import Removal
from specloop.app.web.recorded.listing import row_of
from specloop.app.web.recorded.places import PROJECT, acts, places_of, shows
from specloop.app.web.recorded.reader import Projects, Reader
from specloop.app.web.recorded.words import plain
from specloop.errors import SpecloopError
from specloop.record.projects import COLORS, ICONS, Project, ProjectChange
from specloop.record.sessions import DayActivity, ProjectOverview, SessionFilters, SessionOrder, Statistics
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
Overview = Annotated[ProjectOverview, Depends(provided(ProjectOverview))]
Figures = Annotated[Statistics, Depends(provided(Statistics))]
DAYS: Final = 90
SESSIONS_SHOWN: Final = 12
RANKS: Final = (("agent", "Agents"), ("model", "Models"), ("branch", "Branches"))


async def project_here(ctx: Ctx, projects: Projects, request: Request) -> Project:
    """The project that the path names.

    Raises: ProjectNotFound.
    """
    return await projects.find(ctx, request.path_params["project"])


ProjectHere = Annotated[Project, Depends(project_here)]


@router.get("/app/w/{workspace_id}/projects")
@requires("read:workspace", users_only=True)
async def show_projects(ctx: Ctx, frame: FrameHere, overview: Overview, workspace_id: str) -> Response:
    """All projects, the one used last first."""
    places = places_of(frame)
    rows = [
        {"project": one.project, "href": places.project(one.project), "name": plain(one.project.name), "summary": one}
        for one in await overview.list_summaries(ctx)
    ]
    return frame.page("projects", projects=rows)


@shows(router, PROJECT)
async def show_project(
    ctx: Ctx, frame: FrameHere, overview: Overview, stats: Figures, reader: Reader, project: ProjectHere
) -> Response:
    """One project."""
    places = places_of(frame)
    filters = SessionFilters(project_ids=[project.client_id])
    summary = await overview.summary(ctx, project.client_id)
    facets = await reader.facets(ctx, filters)
    totals = await stats.totals(ctx, filters)
    newest = await reader.list_sessions(ctx, filters, order=SessionOrder.ACTIVE, limit=SESSIONS_SHOWN)
    days = _days(await stats.activity(ctx, filters), ctx.clock.now().date())
    others = [(one.project.client_id, plain(one.project.name)) for one in await overview.list_summaries(ctx)]
    sessions_href = f"{frame.shell.base}/sessions?{urlencode({'project': project.client_id})}"
    tools = [(one.name, one.calls) for one in await stats.tools(ctx, filters)]
    return frame.page(
        "project",
        project=project,
        name=plain(project.name),
        here=places.project(project),
        summary=summary,
        totals=totals,
        took=_tokens(totals),
        bars=day_bars(days),
        first_day=days[0][0],
        last_day=days[-1][0],
        sessions=[row_of(places, one) for one in newest],
        sessions_href=sessions_href,
        lists=_lists(facets, tools, sessions_href),
        others=[pair for pair in others if pair[0] != project.client_id],
        icons=ICONS,
        colors=COLORS,
        is_owner=frame.shell.may("write:workspace"),
    )


def _tokens(totals: Any) -> int:
    return sum(
        getattr(totals, f"{kind}_tokens") for kind in ("input", "output", "cache_read", "cache_write", "reasoning")
    )


def _days(activity: Sequence[DayActivity], today: date) -> list[tuple[date, int]]:
    """The last days; where nothing happened in them, the last days of the project."""
    by_day = {date.fromisoformat(one.day): one.sessions for one in activity}
    last = max([day for day in by_day if day <= today], default=today)
    end = today if today - last < timedelta(days=DAYS // 2) else last
    days = [end - timedelta(days=DAYS - 1 - index) for index in range(DAYS)]
    return [(day, by_day.get(day, 0)) for day in days]


def _lists(
    facets: Mapping[str, Sequence[tuple[str, int]]], tools: Sequence[tuple[str, int]], sessions_href: str
) -> list[dict[str, Any]]:
    """What was used, most first, each leading to the sessions with it."""
    found = [
        {
            "title": title,
            "unit": "sessions",
            "ranks": ranks(
                [
                    (plain(value), count, f"{sessions_href}&{urlencode({name: value})}")
                    for value, count in facets.get(name, ())
                ]
            ),
        }
        for name, title in RANKS
    ]
    called = [
        (plain(name), count, f"{sessions_href}&{urlencode({'q': f'tool:{_quoted(name)}'})}") for name, count in tools
    ]
    return [*found, {"title": "Tools", "unit": "calls", "ranks": ranks(called)}]


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


@acts(router, PROJECT + "/settings")
async def change_project(
    ctx: Ctx, frame: FrameHere, projects: Projects, project: ProjectHere, posted: Posted
) -> Response:
    """Renames the project, or gives it another icon or colour."""
    here = places_of(frame).project(project)
    change = ProjectChange(posted.get("name", "").strip(), posted.get("icon"), posted.get("color"))
    try:
        await projects.change(ctx, project.client_id, change)
    except SpecloopError as error:
        await refused(ctx, error, posted)
        return frame.go(here, error.detail, is_bad=True)
    return frame.go(here, "Project saved.")


@acts(router, PROJECT + "/merge")
async def merge_project(
    ctx: Ctx, frame: FrameHere, projects: Projects, removal: Removal, project: ProjectHere, posted: Posted
) -> Response:
    """Hands all sessions to another project, which answers to both ids from then on."""
    places = places_of(frame)
    try:
        target = await projects.find(ctx, posted.get("into", ""))
        await removal.merge(ctx, project.client_id, target.client_id)
    except SpecloopError as error:
        if error.status != 404:
            await refused(ctx, error, posted)
        return frame.go(places.project(project), error.detail, is_bad=True)
    return frame.go(places.project(target), f"Merged: {plain(project.name)} is part of this project now.")


@acts(router, PROJECT + "/delete")
async def delete_project(
    ctx: Ctx, frame: FrameHere, overview: Overview, removal: Removal, project: ProjectHere, posted: Posted
) -> Response:
    """Deletes the project with all its sessions, once its name has been typed."""
    if posted.get("confirm", "").strip() != plain(project.name).strip():
        here = places_of(frame).project(project)
        return frame.go(here, "Not deleted: the name was not typed as it is.", is_bad=True)
    count = (await overview.summary(ctx, project.client_id)).session_count
    await removal.delete_project(ctx, project.client_id)
    told = f"Project deleted, with {figures.count(count)} sessions."
    return frame.go(f"/app/w/{ctx.workspace_id}/projects", told)
