"""The audit log of a workspace and its events, as a page or as a server-sent stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import StreamingResponse
from starlette.requests import Request
from starlette.responses import Response

from specloop.db.context import Context
from specloop.db.paging import PageRequest
from specloop.errors import BadRequest, SpecloopError, Unavailable
from specloop.identity import audit
from specloop.identity.audit import AuditEvent, AuditFilter
from specloop.identity.audit.schema import AuditEventBody, render_event
from specloop.identity.workspaces.schema import aware
from specloop.identity.workspaces.service import feed
from specloop.kit import json
from specloop.kit.context import Principal
from specloop.kit.ids import parse_uuid
from specloop.transport.guard import Guard, requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, admit, api_router, door_of, request_info
from specloop.transport.schema import Moment

router = api_router("/api/v1/workspaces/{workspace_id}", tags=["Workspaces"])
STREAMS_MAX = 256
RECHECK_EVERY_QUIET_POLLS = 20
SCOPE = "admin:workspace"
_open_streams: set[object] = set()


async def _page(
    ctx: Context,
    page: PageRequest,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
) -> dict[str, Any]:
    wanted = AuditFilter(ctx.principal.account_id, ctx.workspace_id, actor, action, aware(since), aware(until))
    return page_body(await audit.list_events(ctx, wanted, page), render_event)


Actor = Annotated[str | None, Query(max_length=64)]
Action = Annotated[str | None, Query(max_length=100)]
From = Annotated[Moment | None, Query(alias="from")]
To = Annotated[Moment | None, Query(alias="to")]


@router.get("/audit", summary="Read the audit log", response_model=PageBody[AuditEventBody])
@requires(SCOPE)
async def read_audit(
    workspace_id: str,
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("at", "action")],
    actor: Actor = None,
    action: Action = None,
    since: From = None,
    until: To = None,
) -> dict[str, Any]:
    """Newest first; `from` is inclusive, `to` exclusive; sort by at or action."""
    return await _page(ctx, page, actor, action, since, until)


@router.get(
    "/events",
    summary="Follow what happens in a workspace",
    response_model=PageBody[AuditEventBody],
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
@requires(SCOPE)
async def read_events(
    workspace_id: str,
    request: Request,
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("at", "action")],
    action: Action = None,
) -> Any:
    """A page, or with `Accept: text/event-stream` an endless stream that resumes after `Last-Event-ID`."""
    if "text/event-stream" not in request.headers.get("accept", ""):
        return await _page(ctx, page, None, action, None, None)
    return await _stream(request, ctx, action)


async def _stream(request: Request, ctx: Context, action: str | None) -> Response:
    if len(_open_streams) >= STREAMS_MAX:
        raise Unavailable("too many event streams are open", retry_after=10)
    named = request.headers.get("last-event-id")
    last_id = parse_uuid(named) if named else await feed.newest_id(ctx)
    if last_id is None:
        raise BadRequest("Last-Event-ID is no id of this stream")
    return StreamingResponse(
        _lines(request, ctx.principal, last_id, action),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _lines(request: Request, principal: Principal, last_id: str, action: str | None) -> AsyncIterator[bytes]:
    """The stream lives longer than the request's transaction, so each look opens a short one of its own."""
    token = object()
    _open_streams.add(token)
    try:
        yield b"retry: 2000\n\n"
        quiet = 0
        async for event in feed.follow(_reader(request, principal), last_id):
            if event is not None:
                if action is None or event.action == action:
                    yield sse(event)
                continue
            if door_of(request).stopping.is_set():
                return
            quiet += 1
            if quiet % RECHECK_EVERY_QUIET_POLLS == 0:
                if await request.is_disconnected() or not await _is_still_allowed(request):
                    return
                yield b": still here\n\n"
    finally:
        _open_streams.discard(token)


def _reader(request: Request, principal: Principal) -> feed.ReadBatch:
    door = door_of(request)

    async def read(event_id: str) -> list[AuditEvent]:
        async with door.database.reading(principal.workspace_id) as unit:
            return await feed.settled_after(Context(principal, unit, door.clock, request_info(request)), event_id)

    return read


async def _is_still_allowed(request: Request) -> bool:
    """A stream must not outlive the right to open it."""
    try:
        await admit(request, Guard(scopes=(SCOPE,)))
    except SpecloopError:
        return False
    return True


def sse(event: AuditEvent) -> bytes:
    """One event in the stream's text form (HTML standard §9.2)."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (
        event.id.encode(),
        event.action.encode(),
        json.dumps(render_event(event)),
    )
