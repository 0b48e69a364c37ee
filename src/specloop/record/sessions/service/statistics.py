"""Figures over many sessions: tokens, cost, tools, activity, projects with what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specloop.db.context import Context
from specloop.record.projects import Project, ProjectService, ProjectSummary
from specloop.record.projects import repository as projects_repository
from specloop.record.projects.tables import PROJECTS
from specloop.record.sessions.model import DayActivity, Session, SessionFilters, ToolUse, UsageSum
from specloop.record.sessions.repository import figures, reading
from specloop.record.sessions.tables import SESSIONS, USAGE


class Statistics:
    """Sums over the caller's sessions that match the filters."""

    async def totals(self, ctx: Context, filters: SessionFilters | None = None) -> UsageSum:
        """Everything in one sum."""
        return (await figures.usage(ctx, filters or SessionFilters(), by=None))[0]

    async def by_day(self, ctx: Context, filters: SessionFilters | None = None) -> list[UsageSum]:
        """Per UTC day of the calls, oldest first; sessions without tokens are under the empty key."""
        return await figures.usage(ctx, filters or SessionFilters(), by=USAGE.c.day)

    async def by_model(self, ctx: Context, filters: SessionFilters | None = None) -> list[UsageSum]:
        """Per model; sessions without tokens are under the empty key."""
        return await figures.usage(ctx, filters or SessionFilters(), by=USAGE.c.model)

    async def by_agent(self, ctx: Context, filters: SessionFilters | None = None) -> list[UsageSum]:
        """Per agent."""
        return await figures.usage(ctx, filters or SessionFilters(), by=SESSIONS.c.agent_name)

    async def by_project(self, ctx: Context, filters: SessionFilters | None = None) -> list[UsageSum]:
        """Per project; the key is its id as in URLs."""
        return await figures.usage(ctx, filters or SessionFilters(), by=PROJECTS.c.client_id)

    async def tools(self, ctx: Context, filters: SessionFilters | None = None) -> list[ToolUse]:
        """Per tool, most used first."""
        return await figures.tools(ctx, filters or SessionFilters())

    async def activity(self, ctx: Context, filters: SessionFilters | None = None) -> list[DayActivity]:
        """Sessions per UTC day on which they began, oldest first."""
        days: dict[str, list[str]] = {}
        for moment, project in await figures.starts(ctx, filters or SessionFilters()):
            days.setdefault(moment.date().isoformat(), []).append(project)
        return [DayActivity(day, len(found), len(set(found))) for day, found in sorted(days.items())]


class ProjectOverview:
    """Projects with figures of their sessions."""

    def __init__(self, projects: ProjectService) -> None:
        self._projects = projects

    async def list_summaries(self, ctx: Context) -> list[ProjectSummary]:
        """Every project of the caller, the one used last first."""
        counted = await figures.by_project(ctx)
        aliases = await projects_repository.aliases(ctx)
        found = [_summary(one, counted, aliases) for one in await self._projects.list_projects(ctx)]
        return sorted(found, key=lambda one: one.last_activity or one.project.updated_at, reverse=True)

    async def summary(self, ctx: Context, project_id: str) -> ProjectSummary:
        """One project.

        Raises: ProjectNotFound.
        """
        project = await self._projects.find(ctx, project_id)
        return _summary(project, await figures.by_project(ctx), await projects_repository.aliases(ctx))

    async def resumable(self, ctx: Context) -> list[tuple[ProjectSummary, Sequence[Session]]]:
        """Projects with at least one session that has session data, and those sessions, newest first."""
        by_project: dict[str, list[Session]] = {}
        for session in await reading.resumable(ctx, None):
            by_project.setdefault(session.project.id, []).append(session)
        summaries = await self.list_summaries(ctx)
        return [(one, by_project[one.project.id]) for one in summaries if one.project.id in by_project]


def _summary(
    project: Project, counted: Mapping[str, Mapping[str, Any]], aliases: Mapping[str, Sequence[str]]
) -> ProjectSummary:
    return ProjectSummary(project, **counted.get(project.id, {}), aliases=aliases.get(project.id, ()))
