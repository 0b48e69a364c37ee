"""Keeps the index in step with what is stored, in the same transaction as the upload or deletion itself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from specloop import jobs
from specloop.db.context import Context
from specloop.jobs import Lane
from specloop.record.search.repository import sessions, text_index, vectors
from specloop.record.sessions import Session, StoredExchange

EMBED_TASK: Final = "search.embed"
EMBED_EVERY_SECONDS: Final = 20
"""Uploads of one owner within this time share one job, which begins when the time is over."""


class SearchIndexing:
    """An observer of sessions."""

    def __init__(self) -> None:
        self._asked: dict[str | None, int] = {}

    async def stored(
        self, ctx: Context, session: Session, exchanges: Sequence[StoredExchange], removed_ids: Sequence[str]
    ) -> None:
        """Index what is new or changed, and ask for vectors of it."""
        numbered = await sessions.remember(ctx, session)
        if numbered.is_current:
            await text_index(ctx).update(ctx, numbered.number, session.id)
        else:
            await _index_anew(ctx, session, numbered.number)
        if any(exchange.is_changed for exchange in exchanges):
            await self._ask_for_vectors(ctx)

    async def deleted(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """Take sessions out of the index; their vectors go with the exchanges."""
        known = await sessions.numbers(ctx, session_ids)
        index = text_index(ctx)
        await index.remove(ctx, {one: numbered.number for one, numbered in known.items() if numbered.is_current})
        await index.abandon(ctx, [one for one, numbered in known.items() if not numbered.is_current])
        await sessions.forget(ctx, list(known))

    async def _ask_for_vectors(self, ctx: Context) -> None:
        """Once per owner and slot: every further job would only wake the dispatcher to find nothing new."""
        slot = int(ctx.clock.now().timestamp()) // EMBED_EVERY_SECONDS + 1
        owner = ctx.principal.user_id
        if self._asked.get(owner) == slot:
            return
        run_at = datetime.fromtimestamp(slot * EMBED_EVERY_SECONDS, UTC) + timedelta(seconds=1)
        await jobs.enqueue(ctx, EMBED_TASK, {}, queue=Lane.MAINTENANCE, key=f"{owner}:{slot}", run_at=run_at)

        async def remember() -> None:
            self._asked[owner] = slot

        ctx.uow.after_commit(remember)


async def _index_anew(ctx: Context, session: Session, before: int) -> None:
    """Index a session whose words were cut by other rules, under another number than `before`.

    What those rules made of the text is not known any more, so it cannot be taken out; under the old number nobody
    finds it, and the next rebuilding (see `IndexTidying`) clears it away.
    """
    index = text_index(ctx)
    await index.abandon(ctx, [session.id])
    number = (await sessions.renumber(ctx, session)).number
    await vectors.move(ctx, session.id, before, number)
    await index.add(ctx, number, session.id)
