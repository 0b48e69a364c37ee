"""The seam through which other domains follow what is stored, inside the same transaction. Search is the first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from specloop.db.context import Context
from specloop.record.sessions.model import Session, StoredExchange


class SessionObserver(Protocol):
    """Told of every session that is stored or deleted; an error undoes the whole transaction."""

    async def stored(
        self, ctx: Context, session: Session, exchanges: Sequence[StoredExchange], removed_ids: Sequence[str]
    ) -> None:
        """`exchanges` are all that the session has now; `removed_ids` are row ids of exchanges that are gone."""
        ...

    async def deleted(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """The sessions with these row ids are about to be deleted; their rows are still there."""
        ...
