"""Takes deleted words off the disk. PostgreSQL does that by itself, when it vacuums."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import Clock
from specloop.kit.context import ANONYMOUS
from specloop.record.search.repository import merging


class IndexTidying:
    """Merges the text index of SQLite in small transactions, between which uploads get their turn."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def tidy(self) -> None:
        """Merge until no word of a deleted exchange is left."""
        if self._database.engine_name != "sqlite":
            return
        for table in merging.TABLES:
            is_first, has_more = True, True
            while has_more:
                async with self._database.writing(ALL_WORKSPACES) as unit:
                    has_more = await merging.merge(Context(ANONYMOUS, unit, self._clock), table, is_first=is_first)
                is_first = False
