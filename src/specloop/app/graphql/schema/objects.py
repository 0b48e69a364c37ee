"""The objects of the graph: projects, sessions and what is found in them (specstory.md §2.1 and §2.3).

One file, because the types refer to each other. They hold values that were read already, and ask the request's
`Reading` for the rest; they know no rule of their own.
"""

from __future__ import annotations

from typing import Any

import strawberry

from specloop.app.graphql.paging import NESTED_DEFAULT, Slice, cursor_of, size_of, window_of
from specloop.app.graphql.reading import Info
from specloop.app.graphql.schema.values import amount, moment, moment_or_none
from specloop.record import projects, sessions

DAYS_DEFAULT = 30
TAGS_DEFAULT = 10
RELATED_DEFAULT = 5


@strawberry.type(description="Sessions of one day (UTC)")
class DayCount:
    """One day."""

    date: str
    count: int


@strawberry.type(description="Sessions that carry a tag")
class TagCount:
    """One tag."""

    tag: str
    count: int


@strawberry.type(description="Figures over the sessions of a project")
class ProjectStats:
    """What was counted."""

    figures: strawberry.Private[sessions.ProjectFigures]
    total_sessions: int
    total_markdown_size: int
    total_raw_data_size: int

    @strawberry.field(name="uniqueLLMModels", description="The models that were used, by name")
    def unique_models(self) -> list[str]:
        """Names of models."""
        return list(self.figures.models)

    @strawberry.field(description="The branches that were worked on, by name")
    def unique_git_branches(self) -> list[str]:
        """Names of branches."""
        return list(self.figures.branches)

    @strawberry.field(description="The last `days` days (30) that have sessions, oldest first")
    def sessions_by_day(self, info: Info, days: int | None = None) -> list[DayCount]:
        """Days with their counts."""
        first = info.context.day_before(DAYS_DEFAULT if days is None else days)
        return [DayCount(date=day, count=count) for day, count in self.figures.days if day > first]

    @strawberry.field(description="The tags (10) with the most sessions")
    def top_tags(self, limit: int | None = None) -> list[TagCount]:
        """Tags with their counts."""
        shown = self.figures.tags[: size_of(TAGS_DEFAULT if limit is None else limit)]
        return [TagCount(tag=tag, count=count) for tag, count in shown]


@strawberry.type(description="A repository or folder whose sessions are recorded; `id` is the id in URLs")
class Project:
    """One project of the caller."""

    key: strawberry.Private[str]
    raw_size: strawberry.Private[int]
    id: str
    owner_id: str
    name: str
    icon: str
    color: str
    last_updated: str
    session_count: int
    total_markdown_size: int
    created_at: str
    updated_at: str
    last_activity: str | None

    @strawberry.field(description="Its sessions (50), newest first")
    async def sessions(
        self, info: Info, limit: int | None = None, first: int | None = None, after: str | None = None
    ) -> SessionConnection:
        """One page of them."""
        window = window_of(limit, None, first, after, NESTED_DEFAULT)
        return SessionConnection.of(await info.context.sessions_of_project(self.key, window))

    @strawberry.field(description="Figures over its sessions")
    async def stats(self, info: Info) -> ProjectStats:
        """What was counted."""
        return ProjectStats(
            figures=await info.context.figures_of_project(self.key),
            total_sessions=self.session_count,
            total_markdown_size=self.total_markdown_size,
            total_raw_data_size=amount(self.raw_size),
        )

    @classmethod
    def of(cls, summary: projects.ProjectSummary) -> Project:
        """A project as the graph shows it."""
        project = summary.project
        return cls(
            key=project.id,
            raw_size=summary.raw_size,
            id=project.client_id,
            owner_id=project.owner_id,
            name=project.name,
            icon=project.icon,
            color=project.color,
            last_updated=moment(summary.last_activity or project.updated_at),
            session_count=summary.session_count,
            total_markdown_size=amount(summary.markdown_size),
            created_at=moment(project.created_at),
            updated_at=moment(project.updated_at),
            last_activity=moment_or_none(summary.last_activity),
        )


@strawberry.type(description="What the client said about a session, and what was found in it")
class SessionMetadata:
    """Who recorded what with which tools."""

    client_name: str | None
    client_version: str | None
    agent_name: str | None
    device_id: str | None
    summary: str | None
    git_branches: list[str] | None
    llm_models: list[str] | None
    tags: list[str] | None

    @classmethod
    def of(cls, session: sessions.Session) -> SessionMetadata:
        """The metadata of a session."""
        return cls(
            client_name=session.client_name,
            client_version=session.client_version,
            agent_name=session.agent_name,
            device_id=session.device_id,
            summary=session.summary,
            git_branches=list(session.branches),
            llm_models=list(session.models),
            tags=list(session.tags),
        )


@strawberry.interface(description="A recorded session, however it was found; `id` is the server's id of it")
class Session:
    """What all forms of a session share, so that fragments `on Session` fit them all."""

    row: strawberry.Private[sessions.Session]
    id: str
    project_id: str = strawberry.field(description="The project's id in URLs")
    name: str
    created_at: str = strawberry.field(description="When it was first uploaded")
    updated_at: str = strawberry.field(description="When it was last uploaded or changed")
    markdown_size: int = strawberry.field(description="Bytes of Markdown")
    raw_data_size: int = strawberry.field(description="Bytes of raw data")
    started_at: str | None = strawberry.field(description="The first moment of the conversation")
    ended_at: str | None = strawberry.field(description="The last moment of the conversation")
    metadata: SessionMetadata

    @strawberry.field
    async def project(self, info: Info) -> Project:
        """The project that it belongs to."""
        return Project.of(await info.context.project(self.row.project.id))


def shared_values(row: sessions.Session) -> dict[str, Any]:
    """What every form of a session has; plain values, because a resolver for each would double the time of a list."""
    return {
        "row": row,
        "id": row.id,
        "project_id": row.project.client_id,
        "name": row.name,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
        "markdown_size": amount(row.markdown_size),
        "raw_data_size": amount(row.raw_size),
        "started_at": moment_or_none(row.started_at),
        "ended_at": moment_or_none(row.ended_at),
        "metadata": SessionMetadata.of(row),
    }


@strawberry.type(description="A session in a list")
class SessionSummary(Session):
    """No document comes with it."""


@strawberry.type(description="Another session that is about the same things")
class RelatedSession(Session):
    """What it has in common."""

    similarity: float = strawberry.field(description="From 0 to 1: the share of files, branches and tags in common")


@strawberry.type(description="A session with its conversation")
class SessionDetail(Session):
    """One session."""

    @strawberry.field(description="The conversation as Markdown, as it was uploaded")
    async def markdown_content(self, info: Info) -> str:
        """The stored text."""
        return await info.context.markdown(self.row)

    @strawberry.field(description="Sessions (5) that share files, branches or tags with it, nearest first")
    async def related_sessions(self, info: Info, limit: int | None = None) -> list[RelatedSession]:
        """The nearest ones."""
        near = await info.context.related(self.row, size_of(RELATED_DEFAULT if limit is None else limit))
        return [RelatedSession(**shared_values(one.session), similarity=one.similarity) for one in near]


@strawberry.type
class PageInfo:
    """Where a page stands (Relay's cursor connections)."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@strawberry.type
class SessionEdge:
    """A session with the cursor after it."""

    cursor: str
    node: SessionSummary


@strawberry.type(description="A page of sessions, both as a plain list and in Relay's form")
class SessionConnection:
    """One page."""

    page: strawberry.Private[Slice]
    sessions: list[SessionSummary]

    @strawberry.field(description="How many there are on all pages")
    async def total(self) -> int:
        """Counted when it is asked for."""
        return await self.page.count()

    @strawberry.field
    def has_next_page(self) -> bool:
        """Whether more follow."""
        return self.page.has_next

    @strawberry.field
    def has_previous_page(self) -> bool:
        """Whether some come before."""
        return self.page.window.offset > 0

    @strawberry.field
    def page_info(self) -> PageInfo:
        """The same for Relay."""
        offset, count = self.page.window.offset, len(self.sessions)
        return PageInfo(
            has_next_page=self.page.has_next,
            has_previous_page=offset > 0,
            start_cursor=cursor_of(offset + 1) if count else None,
            end_cursor=cursor_of(offset + count) if count else None,
        )

    @strawberry.field
    def edges(self) -> list[SessionEdge]:
        """The sessions with their cursors."""
        first = self.page.window.offset + 1
        return [SessionEdge(cursor=cursor_of(first + place), node=node) for place, node in enumerate(self.sessions)]

    @classmethod
    def of(cls, page: Slice) -> SessionConnection:
        """A page as the graph shows it."""
        return cls(page=page, sessions=[SessionSummary(**shared_values(row)) for row in page.rows])
