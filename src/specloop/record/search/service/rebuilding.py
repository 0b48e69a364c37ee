"""Makes the index anew from the exchanges, for `specloop sessions reindex` and after the rules of cutting changed.

It works in small transactions, so that uploads go on meanwhile, also those of a server that is another process.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import numpy as np

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import Clock
from specloop.kit.context import ANONYMOUS
from specloop.record.search.repository import checking, text_index

PORTION: Final = 10
PAUSE_SECONDS: Final = 0.15
"""Another process asks for SQLite's write lock at least every 100 ms; without a pause it would never find it free."""


class IndexRebuilding:
    """Rebuilds the index of all workspaces."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def is_due(self) -> bool:
        """Whether sessions were cut by other rules, or the index holds words that it could not let go of for that."""
        async with self._database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(ANONYMOUS, unit, self._clock)
            if await checking.other_rules(ctx):
                return True
            expected, indexed = await checking.stored_keys(ctx, text_index(ctx).indexed())
            return bool(np.setdiff1d(indexed, expected).size)

    async def rebuild(self, tell: Callable[[int, int], None] | None = None) -> int:
        """Forget the index and make it again; returns the number of sessions.

        `tell` is given how many of how many are done. Searches find what is done so far. What is cut short leaves
        sessions marked as outdated: they are found when they are next uploaded, or when this is done again.
        """
        async with self._writing() as ctx:
            total = await _begin(ctx)
        done, after = 0, ""
        while True:
            async with self._writing() as ctx:
                portion = await _add_some(ctx, after)
            if not portion:
                return done
            done, after = done + len(portion), portion[-1]
            if tell is not None:
                tell(done, total)
            await asyncio.sleep(PAUSE_SECONDS)

    @asynccontextmanager
    async def _writing(self) -> AsyncGenerator[Context]:
        async with self._database.writing(ALL_WORKSPACES) as unit:
            yield Context(ANONYMOUS, unit, self._clock)


async def _begin(ctx: Context) -> int:
    await checking.forget_the_gone(ctx)
    await checking.number_the_rest(ctx)
    total = await checking.unmark_rules(ctx)
    await text_index(ctx).clear(ctx)  # after the sessions' rows, in the order of uploads
    return total


async def _add_some(ctx: Context, after: str) -> list[str]:
    portion = await checking.outdated(ctx, after=after, limit=PORTION)
    for session_id, number in portion:
        await text_index(ctx).add(ctx, number, session_id)
    session_ids = [session_id for session_id, _ in portion]
    await checking.mark_rules(ctx, session_ids)
    return session_ids
