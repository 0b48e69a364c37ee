"""Takes deleted words off the disk, and brings the index to the present rules of cutting."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import Clock
from specloop.kit.context import ANONYMOUS
from specloop.kit.log import get_logger
from specloop.record.search.repository import merging
from specloop.record.search.service.rebuilding import IndexRebuilding

log = get_logger(__name__)


class IndexTidying:
    """Merges the text index of SQLite in small transactions, between which uploads get their turn.

    PostgreSQL takes deleted words off by itself, when it vacuums.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rebuilding = IndexRebuilding(database, clock)

    async def tidy(self) -> None:
        """Rebuild where the rules ask for it, then merge until no word of a deleted exchange is left."""
        if await self._rebuilding.is_due():
            log.info("search.rebuilt", sessions=await self._rebuilding.rebuild())
        if self._database.engine_name != "sqlite":
            return
        for table in merging.TABLES:
            is_first, has_more = True, True
            while has_more:
                async with self._database.writing(ALL_WORKSPACES) as unit:
                    has_more = await merging.merge(Context(ANONYMOUS, unit, self._clock), table, is_first=is_first)
                is_first = False
