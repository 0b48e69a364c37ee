"""Scan events as a server-sent event stream (spectral.md §1.0): `id:` is the sequence number.

The stream reads the events table in units of its own, so it survives the request's transaction and any worker.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from fastapi.responses import StreamingResponse
from starlette.requests import Request

from specloop.db.context import Context
from specloop.improve.scans.model import ScanEvent
from specloop.improve.scans.repository import runs
from specloop.improve.scans.schema import EventOut
from specloop.kit import json
from specloop.kit.context import Principal
from specloop.transport.routing import Door, door_of

POLL_SECONDS = 0.25
HEARTBEAT_POLLS = 60
CHUNK = 200


def stream_events(request: Request, principal: Principal, scan_id: str, last_seq: int) -> StreamingResponse:
    """Everything behind `last_seq`, until the scan has ended and all was sent."""
    return StreamingResponse(
        _lines(door_of(request), principal, scan_id, last_seq),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _lines(door: Door, principal: Principal, scan_id: str, last_seq: int) -> AsyncGenerator[bytes]:
    quiet = 0
    while True:
        events, is_over = await _read(door, principal, scan_id, last_seq)
        for event in events:
            yield _line(event)
            last_seq = event.seq
        if is_over and len(events) < CHUNK:
            yield b"event: end\ndata: {}\n\n"
            return
        if door.stopping.is_set():
            return  # the client comes back with Last-Event-ID
        quiet = 0 if events else quiet + 1
        if quiet and quiet % HEARTBEAT_POLLS == 0:
            yield b": still here\n\n"
        if len(events) < CHUNK:
            await asyncio.sleep(POLL_SECONDS)


async def _read(door: Door, principal: Principal, scan_id: str, last_seq: int) -> tuple[list[ScanEvent], bool]:
    """The next events, and whether the scan had ended when they were read."""
    async with door.database.reading(principal.workspace_id) as unit:
        ctx = Context(principal, unit, door.clock)
        scan = await runs.find(ctx, scan_id)
        return await runs.events_after(ctx, scan_id, last_seq, CHUNK), scan.status.is_final


def _line(event: ScanEvent) -> bytes:
    body = json.dumps(EventOut.of(event).model_dump(mode="json"))
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.type.encode(), body)
