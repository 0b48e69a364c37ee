"""Remembers what was read about identities for at most two seconds, and only until the next audited change here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from specloop.identity.audit.epoch import Epoch

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
SECONDS_MAX = 2.0
ENTRIES_MAX = 8192


class Memory(Generic[K, V]):
    """A bounded map whose entries age. Changes made by other processes are seen when an entry has aged."""

    def __init__(self, epoch: Epoch) -> None:
        self._epoch = epoch
        self._entries: OrderedDict[K, tuple[int, float, V]] = OrderedDict()

    @property
    def epoch(self) -> int:
        """To be taken before the read whose result is then put in."""
        return self._epoch.number

    def get(self, key: K, now: float) -> V | None:
        """What was put under `key`, if that may still be believed at the monotonic time `now`."""
        entry = self._entries.get(key)
        if entry is None or entry[0] != self._epoch.number or entry[1] <= now:
            return None
        return entry[2]

    def put(self, key: K, value: V, *, epoch: int, now: float, seconds: float = SECONDS_MAX) -> None:
        """Remember `value`, which was read when the epoch was `epoch`."""
        self._entries[key] = (epoch, now + min(seconds, SECONDS_MAX), value)
        self._entries.move_to_end(key)
        if len(self._entries) > ENTRIES_MAX:
            self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
