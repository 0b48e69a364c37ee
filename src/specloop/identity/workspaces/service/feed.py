"""The workspace's events in order: what the audit log says, as pages and as an endless stream.

Ids are time-ordered but are made before their transaction commits, so a stream shows an event only once it has
settled: what could still commit before it has committed by then, and nothing is skipped.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

from specloop.db.context import Context
from specloop.identity.audit import AuditEvent
from specloop.identity.workspaces import repository

SETTLE = timedelta(seconds=1)
POLL_SECONDS = 0.5
BATCH = 200

ReadBatch = Callable[[str], Awaitable[list[AuditEvent]]]


async def settled_after(ctx: Context, event_id: str) -> list[AuditEvent]:
    """Up to 200 events of the caller's workspace that follow `event_id`, oldest first."""
    return await repository.events_after(ctx, event_id, until=ctx.clock.now() - SETTLE, limit=BATCH)


async def newest_id(ctx: Context) -> str:
    """Where a stream without a resume point starts; empty when nothing has settled yet."""
    return await repository.newest_event_id(ctx, until=ctx.clock.now() - SETTLE)


async def follow(read: ReadBatch, last_id: str) -> AsyncIterator[AuditEvent | None]:
    """Every event after `last_id` as it settles; None each time nothing was new, so that the edge can send a sign of
    life and check the caller again.
    """
    while True:
        batch = await read(last_id)
        for event in batch:
            yield event
            last_id = event.id
        if len(batch) < BATCH:
            yield None
            await asyncio.sleep(POLL_SECONDS)
