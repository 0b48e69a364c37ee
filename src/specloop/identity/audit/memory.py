"""Remembers what was read about identities for at most two seconds, and only until the next audited change here.

A busy caller must never wait for its own memory: what is past half its age is read anew in the background, once, and
who misses together shares one reading. Otherwise all connections of that caller would go to the database in the same
moment, and each of the many small steps of a reading waits for a whole turn of a busy event loop.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from specloop.db.uow import ALL_WORKSPACES, UnitOfWork
from specloop.identity.audit.epoch import Epoch
from specloop.kit.clock import Clock
from specloop.kit.log import get_logger

log = get_logger(__name__)
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Read = Callable[[UnitOfWork], Awaitable[V]]
SECONDS_MAX = 2.0
FRESH_SECONDS = 1.0
ENTRIES_MAX = 8192


class Units(Protocol):
    """Where units of work come from: the database."""

    def reading(self, workspace_id: str | None = None) -> AbstractAsyncContextManager[UnitOfWork]:
        """A unit that only reads."""
        ...


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    epoch: int
    read_at: float
    ends_at: float


@dataclass(frozen=True, slots=True)
class _Reading(Generic[V]):
    """One caller's reading, for those who come while it lasts. Its outcome is None when it failed."""

    epoch: int
    begun_at: float
    outcome: asyncio.Future[_Entry[V] | None]


class Memory(Generic[K, V]):
    """A bounded map whose entries age. Changes made by other processes are seen when an entry has aged."""

    def __init__(
        self, epoch: Epoch, units: Units, seconds_left: Callable[[V], float] = lambda _value: SECONDS_MAX
    ) -> None:
        """`seconds_left` tells how long a value that was just read may be believed, if less than two seconds."""
        self._epoch = epoch
        self._units = units
        self._seconds_left = seconds_left
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._readings: dict[K, _Reading[V]] = {}
        self._refreshing: dict[K, asyncio.Task[None]] = {}

    async def recall(
        self,
        key: K,
        clock: Clock,
        read: Read[V],
        *,
        unit: UnitOfWork | None = None,
        workspace_id: str = ALL_WORKSPACES,
    ) -> V:
        """What is remembered under `key`, else what `read` gives in the caller's `unit`.

        Without a `unit`, and in the background, `read` gets one of its own that enters `workspace_id`.
        Raises: whatever `read` raises; nobody else gets that error, for those who waited then read for themselves.
        """
        now = clock.monotonic()
        entry = self._entries.get(key)
        if entry is not None and entry.epoch == self._epoch.number and now < entry.ends_at:
            if now - entry.read_at >= FRESH_SECONDS and key not in self._refreshing:
                self._refreshing[key] = asyncio.create_task(self._refresh(key, clock, read, workspace_id))
            return entry.value
        # Never wait for the background here: it may need a connection, and the caller may hold the last one.
        reading = self._running(key, now)
        if reading is not None:
            await asyncio.wait((reading.outcome,))  # awaited by itself, it would be cancelled together with us
            shared = reading.outcome.result()
            if shared is not None and clock.monotonic() < shared.ends_at:
                return shared.value
        return await self._read_shared(key, clock, read, unit, workspace_id)

    async def _read_shared(self, key: K, clock: Clock, read: Read[V], unit: UnitOfWork | None, workspace_id: str) -> V:
        outcome: asyncio.Future[_Entry[V] | None] = asyncio.get_running_loop().create_future()
        reading = self._readings[key] = _Reading(self._epoch.number, clock.monotonic(), outcome)
        try:
            if unit is not None:
                entry = await self._read(clock, read, unit)
            else:
                async with self._units.reading(workspace_id) as own:
                    entry = await self._read(clock, read, own)
            self._keep(key, entry)
            outcome.set_result(entry)
            return entry.value
        finally:
            if not outcome.done():
                outcome.set_result(None)
            if self._readings.get(key) is reading:
                del self._readings[key]

    async def _refresh(self, key: K, clock: Clock, read: Read[V], workspace_id: str) -> None:
        try:
            async with self._units.reading(workspace_id) as unit:
                self._keep(key, await self._read(clock, read, unit))
        except Exception as error:  # nobody waits for this; the next caller reads and learns what is wrong
            self._entries.pop(key, None)
            log.info("memory.not_refreshed", reason=type(error).__name__)
        finally:
            del self._refreshing[key]

    async def _read(self, clock: Clock, read: Read[V], unit: UnitOfWork) -> _Entry[V]:
        epoch, now = self._epoch.number, clock.monotonic()
        value = await read(unit)
        return _Entry(value, epoch, now, now + min(self._seconds_left(value), SECONDS_MAX))

    def _keep(self, key: K, entry: _Entry[V]) -> None:
        known = self._entries.get(key)
        if known is not None and known.read_at > entry.read_at:
            return
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def _running(self, key: K, now: float) -> _Reading[V] | None:
        # A reading that began before the last change may have missed it.
        reading = self._readings.get(key)
        is_young = reading is not None and reading.epoch == self._epoch.number and now < reading.begun_at + SECONDS_MAX
        return reading if is_young else None
