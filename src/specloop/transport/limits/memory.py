"""Rolling windows in this process, as a storage of the `limits` library.

The library's own memory storage walks over all keys on every hit (about 1 ms at 5,000 keys), which lets anybody with
many addresses slow the server down, and it reads the wall clock. This one sweeps rarely enough to cost nothing, and
reads a clock that never jumps.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable

from limits.aio.storage import MovingWindowSupport, Storage

_SWEEP_AFTER_HITS = 1024


class RollingMemory(Storage, MovingWindowSupport):
    """The moments of the hits that were let through, per key; at most `limit` of them."""

    STORAGE_SCHEME = None

    def __init__(self, monotonic: Callable[[], float]) -> None:
        super().__init__()
        self._monotonic = monotonic
        self._hits: dict[str, deque[float]] = {}
        self._ends: dict[str, float] = {}
        self._hits_since_sweep = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can fail here: nothing that anybody could handle."""
        return ValueError

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits if they fit into the last `expiry` seconds beside those already there."""
        now = self._monotonic()
        self._sweep_if_due(now)
        hits = self._current(key, expiry, now)
        if len(hits) + amount > limit:
            return False
        hits.extend([now] * amount)
        self._hits[key] = hits
        self._ends[key] = now + expiry
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """When the oldest hit of the window was (now, if there is none), and how many there are."""
        now = self._monotonic()
        hits = self._current(key, expiry, now)
        return (hits[0], len(hits)) if hits else (now, 0)

    async def clear(self, key: str) -> None:
        """Forget one key."""
        self._hits.pop(key, None)
        self._ends.pop(key, None)

    async def reset(self) -> int:
        """Forget everything; the number of keys."""
        count = len(self._hits)
        self._hits.clear()
        self._ends.clear()
        return count

    async def check(self) -> bool:
        """Whether the storage can be used: always."""
        return True

    async def get(self, key: str) -> int:
        """How many hits are held for `key`."""
        return len(self._hits.get(key, ()))

    async def get_expiry(self, key: str) -> float:
        """When the last hit of `key` leaves its window."""
        return self._ends.get(key, self._monotonic())

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counting without a window is not what this storage is for. Raises: NotImplementedError."""
        raise NotImplementedError("rolling windows only")

    def _current(self, key: str, expiry: int, now: float) -> deque[float]:
        hits = self._hits.get(key)
        if hits is None:
            return deque()
        for _ in range(bisect_right(hits, now - expiry)):
            hits.popleft()
        return hits

    def _sweep_if_due(self, now: float) -> None:
        # Rarer than keys are added, so that the walk costs each hit a constant share.
        self._hits_since_sweep += 1
        if self._hits_since_sweep < _SWEEP_AFTER_HITS + len(self._ends):
            return
        self._hits_since_sweep = 0
        for key in [key for key, end in self._ends.items() if end <= now]:
            del self._ends[key]
            self._hits.pop(key, None)
