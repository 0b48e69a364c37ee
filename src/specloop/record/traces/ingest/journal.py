"""Group commit: requests that arrive together share one transaction, and each is answered after it is on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES, UnitOfWork
from specloop.kit.log import get_logger
from specloop.record.traces.errors import InboxFull
from specloop.record.traces.repository import inbox
from specloop.record.traces.repository.inbox import Arrival

log = get_logger(__name__)

COMMIT_BYTES_MAX = 32 << 20
LOOKS = 16
"""How often the stored bytes are summed up while the whole budget is taken in. In between the journal counts alone, so
that other processes on the same inbox may each be ahead by one such share."""

RETRY_SECONDS = 2


@dataclass(slots=True)
class _Entry:
    arrival: Arrival
    done: asyncio.Future[None]


class Journal:
    """Appends arrivals to the inbox. `on_commit` is called after each transaction that stored a body."""

    def __init__(self, database: Database, *, bytes_max: int, on_commit: Callable[[], None]) -> None:
        self._database = database
        self._bytes_max = bytes_max
        self._on_commit = on_commit
        self._room = 0
        self._queue: list[_Entry] = []
        self._queued_bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def append(self, arrival: Arrival) -> None:
        """Returns once the arrival is durable.

        Raises: InboxFull when the inbox is over its budget; Unavailable when the state store cannot write.
        """
        if self._queued_bytes + len(arrival.body) > self._bytes_max:
            raise InboxFull(retry_after=RETRY_SECONDS)
        entry = _Entry(arrival, asyncio.get_running_loop().create_future())
        self._queue.append(entry)
        self._queued_bytes += len(arrival.body)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="otlp-journal")
        await entry.done

    async def close(self) -> None:
        """Finish what was begun."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        while self._queue:
            entries = self._next_group()
            try:
                await self._write(entries)
            except Exception as error:
                _fail(entries, error)
            finally:
                self._queued_bytes -= _size(entries)

    def _next_group(self) -> list[_Entry]:
        total, count = 0, 0
        for entry in self._queue:
            total += len(entry.arrival.body)
            if count and total > COMMIT_BYTES_MAX:
                break
            count += 1
        entries, self._queue = self._queue[:count], self._queue[count:]
        return entries

    async def _write(self, entries: list[_Entry]) -> None:
        async with self._database.writing(ALL_WORKSPACES) as unit:
            fitting = _fitting(entries, await self._room_for(unit, _size(entries)))
            await inbox.append(unit, [entry.arrival for entry in fitting])
            self._room -= _size(fitting)
        if any(entry.arrival.body for entry in fitting):
            self._on_commit()
        for entry in fitting:
            if not entry.done.done():
                entry.done.set_result(None)
        refused = entries[len(fitting) :]
        if refused:
            log.warning("inbox.full", refused=len(refused))
            _fail(refused, InboxFull(retry_after=RETRY_SECONDS))

    async def _room_for(self, unit: UnitOfWork, wanted: int) -> int:
        """The bytes that may be added now, enough for `wanted` if the inbox has room for them."""
        if wanted > self._room:
            free = self._bytes_max - await inbox.stored_bytes(unit)
            self._room = min(free, max(wanted, self._bytes_max // LOOKS))
        return self._room


def _size(entries: Sequence[_Entry]) -> int:
    return sum(len(entry.arrival.body) for entry in entries)


def _fitting(entries: list[_Entry], room: int) -> list[_Entry]:
    """As many of the first entries as there is room for."""
    fitting: list[_Entry] = []
    for entry in entries:
        room -= len(entry.arrival.body)
        if room < 0:
            break
        fitting.append(entry)
    return fitting


def _fail(entries: list[_Entry], error: Exception) -> None:
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
