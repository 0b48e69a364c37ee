"""What a text index can do, whichever engine keeps it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import ScalarSelect

from specloop.db.context import Context
from specloop.record.search.keys import Keys
from specloop.record.search.query import Term
from specloop.record.search.repository.postgresql import PostgreSQLIndex
from specloop.record.search.repository.sqlite import SQLiteIndex


class TextIndex(Protocol):
    """The words of all exchanges. Reads are not limited to a caller: that is up to who uses the keys."""

    async def update(self, ctx: Context, number: int, session_id: str) -> None:
        """Bring the index to what the session's exchanges hold now."""
        ...

    async def add(self, ctx: Context, number: int, session_id: str) -> None:
        """Take in a session of which nothing is in the index."""
        ...

    async def remove(self, ctx: Context, numbers: Mapping[str, int]) -> None:
        """Take sessions out, given as id to number, while their exchanges are still there."""
        ...

    async def abandon(self, ctx: Context, session_ids: Sequence[str]) -> None:
        """Let go of sessions whose words were cut by other rules; their numbers must never be used again.

        Words may stay under the old numbers, where no search looks, until everything is cleared.
        """
        ...

    async def matching(self, ctx: Context, terms: Sequence[Term]) -> Keys:
        """The sorted keys of all exchanges in which every term matches."""
        ...

    async def scores(self, ctx: Context, terms: Sequence[Term], floor: int, *, is_whole: bool) -> dict[int, float]:
        """How well exchanges from the key `floor` on match, higher for better.

        With `is_whole` the words must stand there in full and at most a few thousand exchanges are looked at.
        """
        ...

    async def any_scores(self, ctx: Context, terms: Sequence[Term], limit: int) -> dict[int, float]:
        """The best exchanges in which any of the terms stands in full."""
        ...

    def indexed(self) -> ScalarSelect[Any]:
        """The query for the keys of everything in the index, as one value that `stored_keys` reads."""
        ...

    async def clear(self, ctx: Context) -> None:
        """Forget everything."""
        ...


def text_index(ctx: Context) -> TextIndex:
    """The index of the engine that the unit of work stands on."""
    return SQLiteIndex() if ctx.uow.engine_name == "sqlite" else PostgreSQLIndex()
