"""The routes of the search in SpecStory's dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from specloop.db.context import Context
from specloop.errors import BadRequest
from specloop.kit.log import get_logger
from specloop.record.search.model import LIMIT_MAX, SearchAnswer, SearchMode, SearchRequest, SearchSort
from specloop.record.search.query import TEXT_LENGTH_MAX, is_too_short, parse_moment
from specloop.record.search.schema import ResumeAnswer, ResumeQuery, SearchBody, resume_body, search_body
from specloop.record.search.service.searching import SearchService
from specloop.record.sessions import SessionFilters
from specloop.record.sessions.rest.answers import enveloped
from specloop.record.sessions.schema import Envelope
from specloop.transport.routing import Ctx, door_of, provided
from specloop.transport.specstory import reads, record_router, writes

LIMIT_DEFAULT = 20
OFFSET_MAX = 1_000_000
log = get_logger(__name__)
router = record_router("/api/v1/search")

Search = Annotated[SearchService, Depends(provided(SearchService))]
Values = Annotated[list[Annotated[str, Query(max_length=1_000)]], Query(max_length=50)]


@router.post("/resume", response_model=Envelope[ResumeAnswer])
@writes()
async def search_resumable(ctx: Ctx, request: Request, asked: ResumeQuery, service: Search) -> Response:
    """Every session that matches, newest first. A query of fewer than two letters or digits finds nothing."""
    if is_too_short(asked.query):
        return enveloped(resume_body(SearchAnswer()))
    filters = SessionFilters(project_ids=[asked.project_id] if asked.project_id else [])
    wanted = SearchRequest(asked.query, filters, sort=SearchSort.RECENT, limit=None, exchanges_max=1)
    try:
        async with _reading(request, ctx) as reading:
            answer = await service.search(reading, wanted)
    except Exception:
        # Somebody is typing: the contract wants an empty list rather than an error (specstory.md §1.5).
        log.exception("search.failed")
        answer = SearchAnswer()
    return enveloped(resume_body(answer))


@router.get("", response_model=Envelope[SearchBody])
@reads()
async def search_sessions(
    ctx: Ctx,
    service: Search,
    q: Annotated[str, Query(max_length=TEXT_LENGTH_MAX, description="Words, phrases and filters.")] = "",
    mode: SearchMode = SearchMode.TEXT,
    sort: SearchSort = SearchSort.RELEVANCE,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    offset: Annotated[int, Query(ge=0, le=OFFSET_MAX)] = 0,
    facets: bool = False,
    agent: Values = [],  # noqa: B006  (the framework copies defaults)
    project: Values = [],  # noqa: B006
    model: Values = [],  # noqa: B006
    branch: Values = [],  # noqa: B006
    tag: Values = [],  # noqa: B006
    machine: Values = [],  # noqa: B006
    file: Values = [],  # noqa: B006
    tool: Values = [],  # noqa: B006
    has: Literal["error"] | None = None,
    since: Annotated[str | None, Query(max_length=40, description="A day, month or moment; UTC by default.")] = None,
    until: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """One page of the caller's sessions that match, with marked snippets and, when asked for, facets.

    The parameters for filters take whole values and may be repeated; those written into `q` take parts of names.
    """
    filters = SessionFilters(
        agents=agent,
        project_ids=project,
        models=model,
        branches=branch,
        tags=tag,
        machines=machine,
        files=file,
        tools=tool,
        has_error=True if has else None,
        since=_moment("since", since),
        until=_moment("until", until),
    )
    wanted = SearchRequest(q, filters, mode, sort, limit, offset, has_facets=facets)
    return enveloped(search_body(await service.search(ctx, wanted), limit, offset))


def _moment(name: str, value: str | None) -> datetime | None:
    moment = None if value is None else parse_moment(value)
    if value is not None and moment is None:
        raise BadRequest(f"Invalid value for {name}. Must be an ISO 8601 date or time")
    return moment


@asynccontextmanager
async def _reading(request: Request, ctx: Context) -> AsyncGenerator[Context]:
    """A POST is given the one writer; a search that only reads must not hold it."""
    async with door_of(request).database.reading(ctx.workspace_id) as unit:
        yield replace(ctx, uow=unit)
