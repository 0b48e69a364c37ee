"""Wakes the dispatchers of this process when a job is committed. A lost ring costs seconds, never a job.

One doorbell belongs to one database engine and disappears with it, so two programs in one process (as in tests) do not
wake each other.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary, WeakSet

_bells: WeakKeyDictionary[object, Doorbell] = WeakKeyDictionary()


class Doorbell:
    """A set of waiting dispatchers."""

    def __init__(self) -> None:
        self._waiters: WeakSet[asyncio.Event] = WeakSet()

    def subscribe(self) -> asyncio.Event:
        """An event that is set at each ring; the caller clears it."""
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        return waiter

    def ring(self) -> None:
        """Wake everybody; to be called on the event loop."""
        for waiter in self._waiters:
            waiter.set()


def doorbell_of(engine: object) -> Doorbell:
    """The doorbell of a (synchronous) database engine."""
    bell = _bells.get(engine)
    if bell is None:
        bell = _bells[engine] = Doorbell()
    return bell
