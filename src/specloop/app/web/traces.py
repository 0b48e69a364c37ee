"""The list of traces, with its filters in the address and a stream that says when something new arrived."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import Depends
from starlette.responses import Response, StreamingResponse

from specloop.app.web.choices import agent_choices
from specloop.app.web.frame import Frame, FrameHere, page_router
from specloop.app.web.scan_live import is_still_allowed
from specloop.app.web.traced.filters import LATENCIES, NAMES, PERIODS, read
from specloop.db.context import Context
from specloop.db.paging import PageRequest
from specloop.errors import ValidationFailed
from specloop.kit.context import Principal
from specloop.record.traces import TraceSummary
from specloop.record.traces.service.glance import TraceGlance
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, door_of, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/traces"
Glance = Annotated[TraceGlance, Depends(provided(TraceGlance))]
ROWS: Final = 40
POLL_SECONDS: Final = 2.0
CHECK_EVERY_POLLS: Final = 15
TAGS_SHOWN: Final = 3


@router.get(PREFIX)
@requires("read:workspace")
async def show_traces(ctx: Ctx, frame: FrameHere, glance: Glance, workspace_id: str) -> Response:
    """The newest traces first; `cursor` leads to older ones."""
    choices = await agent_choices(ctx)
    asked = read(frame.query(*NAMES), ctx.clock.now(), dict(choices))
    cursor = frame.request.query_params.get("cursor") or None
    mark = "" if cursor else await glance.mark(ctx)
    try:
        found = await glance.list_traces(ctx, asked.chosen, PageRequest(limit=ROWS, cursor=cursor))
    except ValidationFailed:
        return frame.go(f"{frame.shell.base}/traces")  # a cursor that was cut or made up
    rows = [row_of(one) for one in found.results]
    return frame.page(
        "traces",
        traces=rows,
        total=found.total,
        next_cursor=found.next_cursor,
        cursor=cursor or "",
        mark=mark,
        longest_ms=max((row["duration_ms"] for row in rows), default=0.0),
        query=dict(asked.query),
        shown=asked.shown,
        agents=choices,
        periods=[(name, words) for name, (words, _) in PERIODS.items()],
        latencies=LATENCIES,
        origin=f"{frame.request.url.scheme}://{frame.request.url.netloc}",
    )


@router.get(PREFIX + "/stream")
@requires("read:workspace")
async def stream_arrivals(ctx: Ctx, frame: FrameHere, glance: Glance, workspace_id: str) -> StreamingResponse:
    """Server-sent events: `arrived` whenever the workspace's spans are others than at `mark`."""
    lines = follow(frame, ctx.principal, glance, frame.request.query_params.get("mark", ""))
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(lines, media_type="text/event-stream", headers=headers)


async def follow(frame: Frame, principal: Principal, glance: TraceGlance, seen: str) -> AsyncGenerator[str]:
    """The lines of the stream, until the visitor leaves, loses the right to read, or the server stops."""
    door = door_of(frame.request)
    polls = 0
    yield "retry: 5000\n\n"
    while not door.stopping.is_set():
        async with door.database.reading(principal.workspace_id) as unit:
            mark = await glance.mark(Context(principal, unit, door.clock))
        if mark != seen:
            yield "event: arrived\ndata:\n\n"
            seen = mark
        polls += 1
        if polls % CHECK_EVERY_POLLS == 0:
            if not await is_still_allowed(frame):
                return
            yield ": still here\n\n"
        await asyncio.sleep(POLL_SECONDS)


def row_of(trace: TraceSummary) -> dict[str, Any]:
    """A trace as lists and its own page show it."""
    used = trace.usage
    told = [count for count in (used.input_tokens, used.output_tokens) if count is not None]
    return {
        "trace_id": trace.trace_id,
        "name": trace.name,
        "services": list(trace.service_names),
        "agents": list(trace.agent_names),
        "models": list(trace.models),
        "sessions": list(trace.session_ids),
        "users": list(trace.user_ids),
        "tags": list(trace.tags[:TAGS_SHOWN]),
        "more_tags": max(0, len(trace.tags) - TAGS_SHOWN),
        "status": trace.status.value,
        "duration_ms": (trace.end_ns - trace.start_ns) / 1e6,
        "span_count": trace.span_count,
        "error_count": trace.error_count,
        "tokens": sum(told) if told else None,
        "input_tokens": used.input_tokens,
        "output_tokens": used.output_tokens,
        "cost_micro": None if used.cost_usd is None else round(used.cost_usd * 1_000_000),
        "calls_unpriced": used.calls_unpriced,
        "started_at": datetime.fromtimestamp(trace.start_ns / 1e9, UTC),
    }
