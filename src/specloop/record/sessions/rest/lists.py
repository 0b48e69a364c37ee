"""Lists of sessions (specstory.md §1.2, §1.4): sizes for the client's decision, resumable ones, recent ones."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from specloop.record.projects import ProjectService
from specloop.record.sessions.model import SessionFilters
from specloop.record.sessions.rest.answers import ProjectPath, Reader, enveloped, readable
from specloop.record.sessions.schema import Envelope, SessionList, Sizes, recent_body, session_body
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import reads, record_router

LIMIT_DEFAULT = 200
LIMIT_MAX = 1_000
RECENT_DEFAULT = 5
_WHOLE_MAX = 2**53
router = record_router("/api/v1")


@readable(router, "/projects/{project}/sessions/sizes", response_model=Envelope[Sizes])
@reads()
async def list_sizes(ctx: Ctx, project: ProjectPath, reader: Reader) -> Response:
    """The bytes stored of each session, so that a client uploads only what has grown."""
    sizes: dict[str, int] = {}
    for one in await reader.sizes(ctx, project):
        sizes[one.client_id] = one.markdown_size
        if one.data_size is not None:
            sizes[f"{one.client_id}:sessionData"] = one.data_size
    return enveloped({"sessions": sizes})


@readable(router, "/projects/{project}/sessions", response_model=Envelope[SessionList])
@reads()
async def list_sessions(
    ctx: Ctx,
    project: ProjectPath,
    reader: Reader,
    projects: Annotated[ProjectService, Depends(provided(ProjectService))],
    resumable: bool = False,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    offset: Annotated[int, Query(ge=0, le=_WHOLE_MAX)] = 0,
) -> Response:
    """A project's sessions, newest first. With `resumable=true` all that have session data, whatever the limit."""
    found = await projects.find(ctx, project)
    if resumable:
        sessions = await reader.resumable(ctx, project)
        total = len(sessions)
    else:
        filters = SessionFilters(project_ids=[found.id])
        sessions = await reader.list_sessions(ctx, filters, limit=limit, offset=offset)
        total = await reader.count(ctx, filters)
    bodies = [session_body(one) for one in sessions]
    return enveloped({"sessions": bodies, "total": total, "projectId": found.client_id})


@readable(router, "/sessions/recent", response_model=Envelope[SessionList])
@reads()
async def list_recent(ctx: Ctx, reader: Reader, limit: int = RECENT_DEFAULT) -> Response:
    """The newest sessions across projects; `limit` is brought into 1 to 100."""
    bodies = [recent_body(one) for one in await reader.recent(ctx, limit)]
    return enveloped({"sessions": bodies, "total": len(bodies)})
