"""The entrances of the graph. The defaults of arguments are the contract's (specstory.md §2.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import strawberry

from specloop.app.graphql.filters import filters_of, is_contradictory, range_of, storable
from specloop.app.graphql.orders import order_of
from specloop.app.graphql.paging import LIMIT_DEFAULT, OFFSET_MAX, Slice, Window, bounded, size_of, window_of
from specloop.app.graphql.reading import Info
from specloop.app.graphql.schema.figures import WEEK_DAYS, Analytics, Stats
from specloop.app.graphql.schema.inputs import SessionFilters, SessionOrder, TimeRange
from specloop.app.graphql.schema.objects import Project, SessionConnection, SessionDetail, shared_values
from specloop.app.graphql.schema.searches import SearchResult, SearchResultItem
from specloop.app.graphql.selected import is_selected
from specloop.app.graphql.texts import checked, is_wordless, joined
from specloop.errors import ValidationFailed
from specloop.record import search, sessions

EXCHANGES_MAX: Final = 500
"""Matching exchanges of a session that are shown."""
EXCHANGES_OF_PAGE_MAX: Final = 30_000
"""Those that a page may have: the search names each in one statement, which takes 32,766 values on either engine."""


@strawberry.type
class Query:
    """What can be asked for."""

    @strawberry.field(description="All projects of the caller")
    async def projects(self, info: Info) -> list[Project]:
        """By name."""
        return [Project.of(summary) for summary in await info.context.projects()]

    @strawberry.field(description="One project; null when there is none")
    async def project(self, info: Info, id: strawberry.ID) -> Project | None:
        """By client id, alias or row id."""
        summary = await info.context.find_project(str(id))
        return None if summary is None else Project.of(summary)

    @strawberry.field(
        description=(
            "Sessions: 200 from the first, by createdAt, newest first. `orderBy` takes createdAt, updatedAt, "
            "startedAt, endedAt, name or markdownSize; `first` and `after` are Relay's words for limit and offset."
        )
    )
    async def sessions(
        self,
        info: Info,
        filters: SessionFilters | None = None,
        limit: int | None = None,
        offset: int | None = None,
        order_by: str | None = None,
        order_direction: str | None = None,
        order: SessionOrder | None = None,
        first: int | None = None,
        after: str | None = None,
    ) -> SessionConnection:
        """One page of them."""
        window = window_of(limit, offset, first, after)
        column, descending = order_of(order, order_by, order_direction)
        chosen = filters_of(filters, info.context.ctx.clock)
        text = _text_of(filters)
        if is_contradictory(filters) or (text and is_wordless(checked(text))):
            return SessionConnection.of(_empty(window))
        if text:
            page = await info.context.sessions_with_text(chosen, checked(text), window, column, descending=descending)
        else:
            page = await info.context.sessions(chosen, window, column, descending=descending)
        return SessionConnection.of(page)

    @strawberry.field(description="One session by `sessionId` (in `projectId`, if given) or by `id`; null without one")
    async def session(
        self,
        info: Info,
        project_id: str | None = None,
        session_id: str | None = None,
        id: strawberry.ID | None = None,
    ) -> SessionDetail | None:
        """By client id or row id."""
        wanted = session_id if session_id is not None else id
        if wanted is None:
            raise ValidationFailed.of(["sessionId"], "name the session by sessionId or by id")
        inside = None if project_id is None else storable(project_id)
        row = await info.context.find_session(inside, storable(str(wanted)))
        return None if row is None else SessionDetail(**shared_values(row))

    @strawberry.field(
        description=(
            'Sessions with an exchange that holds all words of the query, best first, 200 on a page. "Quoted words" '
            "stand side by side; agent:, project:, model:, branch:, tag:, file:, tool:, after:, before: narrow it down."
        )
    )
    async def search_sessions(
        self,
        info: Info,
        query: str,
        filters: SessionFilters | None = None,
        limit: int | None = None,
        page: int | None = None,
    ) -> SearchResult:
        """One page of hits."""
        size = size_of(LIMIT_DEFAULT if limit is None else limit)
        place = bounded("page", 1 if page is None else page, OFFSET_MAX, 1)
        chosen = filters_of(filters, info.context.ctx.clock)
        texts = [query, text] if (text := _text_of(filters)) else [query]
        wanted = search.SearchRequest(
            joined(*texts), chosen, limit=size, offset=(place - 1) * size, exchanges_max=_exchanges_max(info, size)
        )
        is_empty = any(map(is_wordless, texts)) or is_contradictory(filters)
        found = search.SearchAnswer() if is_empty else await info.context.search(wanted)
        return SearchResult(
            results=[SearchResultItem.of(hit) for hit in found.hits],
            total=found.total,
            query=query,
            project_id=chosen.project_ids[0] if len(chosen.project_ids) == 1 else None,
        )

    @strawberry.field(description="What began in a span of time")
    async def analytics(self, info: Info, time_range: TimeRange) -> Analytics:
        """Figures over it."""
        since, until = range_of(time_range)
        return Analytics(activity=await info.context.activity(since, until))

    @strawberry.field(description="Figures over everything")
    async def stats(self, info: Info) -> Stats:
        """All sessions of the caller."""
        known = await info.context.projects()
        week = info.context.ctx.clock.now() - timedelta(days=WEEK_DAYS)
        recent = sessions.SessionFilters(created_since=week)
        page = await info.context.sessions(recent, Window(0), sessions.SessionOrder.CREATED, descending=True)
        return Stats(
            total_sessions=sum(one.session_count for one in known),
            total_projects=len(known),
            sessions_this_week=await page.count(),
        )


def _text_of(filters: SessionFilters | None) -> str:
    return (filters.search_text or "").strip() if filters else ""


def _exchanges_max(info: Info, size: int) -> int:
    """How many matching exchanges each hit names: the one with the snippet when nobody asks for them."""
    asked: Any = vars(info)["_raw_info"]
    if not any(is_selected(node, "matchingExchanges", asked.fragments) for node in asked.field_nodes):
        return 1
    return min(EXCHANGES_MAX, EXCHANGES_OF_PAGE_MAX // max(size, 1))


def _empty(window: Window) -> Slice:
    async def none() -> int:
        return 0

    return Slice((), window, has_next=False, count=none)
