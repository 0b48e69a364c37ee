"""The moving part of a scan's page, and the stream that sends it again whenever it changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any, Final

from specloop.app.web.frame import Frame
from specloop.app.web.rendering import environment
from specloop.db.context import Context
from specloop.errors import SpecloopError
from specloop.improve.scans.model import Scan, Status
from specloop.improve.scans.service import Scans
from specloop.improve.scans.service.reading import budget_of
from specloop.kit.context import Principal
from specloop.transport.guard import Guard
from specloop.transport.routing import admit, door_of

POLL_SECONDS: Final = 0.4
CHECK_EVERY_POLLS: Final = 50
"""A stream must not outlive the right to open it."""


def live_view(scan: Scan, now: datetime) -> dict[str, Any]:
    """State, phase, progress, elapsed and forecast (milliseconds)."""
    end = scan.finished_at or now
    elapsed = (end - scan.started_at).total_seconds() * 1000 if scan.started_at else None
    done, total = scan.progress_done, scan.progress_total
    forecast = None
    if elapsed is not None and scan.phase == "generate" and scan.status is Status.RUNNING and 0 < done <= total:
        forecast = elapsed * (total - done) / done
    return {
        "status": scan.status.value,
        "phase": scan.phase,
        "progress": {"done": done, "total": total},
        "elapsed_ms": elapsed,
        "forecast_ms": forecast,
        "took_ms": elapsed if scan.status.is_final else None,
        "budget": budget_of(scan),
        "error": {"phase": scan.error.get("phase"), "detail": scan.error.get("detail", "")} if scan.error else None,
    }


async def follow(frame: Frame, principal: Principal, scans: Scans, scan_id: str) -> AsyncGenerator[str]:
    """Server-sent events: `progress` with the HTML of the moving part, `finished` once at the end."""
    door = door_of(frame.request)
    shown, polls = "", 0
    yield "retry: 3000\n\n"
    while True:
        async with door.database.reading(principal.workspace_id) as unit:
            scan = await scans.read(Context(principal, unit, door.clock), scan_id)
        html = (
            environment()
            .get_template("parts/scan_live.html")
            .render(scan=live_view(scan, door.clock.now()), is_streamed=True)
        )
        if scan.status.is_final:
            yield _event("progress", html) + _event("finished", "")
            return
        if html != shown:
            yield _event("progress", html)
            shown = html
        polls += 1
        is_checked = polls % CHECK_EVERY_POLLS == 0
        if door.stopping.is_set() or (is_checked and not await is_still_allowed(frame)):
            return
        await asyncio.sleep(POLL_SECONDS)


def _event(name: str, text: str) -> str:
    lines = "\n".join(f"data: {line}" for line in text.splitlines()) or "data:"
    return f"event: {name}\n{lines}\n\n"


async def is_still_allowed(frame: Frame) -> bool:
    """Whether the visitor of a stream is still there and may still read the workspace."""
    if await frame.request.is_disconnected():
        return False
    try:
        await admit(frame.request, Guard(scopes=("read:workspace",)))
    except SpecloopError:
        return False
    return True
