"""Ends sessions by age, or with their workspace; their projects stay, as empty ones may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal
from specloop.record.sessions.observers import SessionObserver
from specloop.record.sessions.repository import expiry

SESSIONS_AT_ONCE = 50


class SessionExpiry:
    """A sweeper of sessions, and the store of what observers keep of them (see `identity.workspaces`)."""

    kind = "sessions"

    def __init__(self, database: Database, clock: Clock, observers: Sequence[SessionObserver] = ()) -> None:
        self._database = database
        self._clock = clock
        self._observers = tuple(observers)

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """Delete up to 50 sessions of anybody in the workspace whose last moment is before `before`."""
        return await self._delete_some(ctx, before)

    async def erase(self, account_id: str, workspace_id: str) -> None:
        """Delete all sessions of the workspace, so that no index keeps a word of them."""
        who = system_principal(account_id, workspace_id, frozenset())
        count = 1
        while count:
            async with self._database.writing(workspace_id) as unit:
                count = await self._delete_some(Context(who, unit, self._clock), None)

    async def _delete_some(self, ctx: Context, before: datetime | None) -> int:
        found = await expiry.lock_old(ctx, before, SESSIONS_AT_ONCE)
        if found:
            for observer in self._observers:
                await observer.deleted(ctx, found)
            await expiry.remove(ctx, found)
        return len(found)
