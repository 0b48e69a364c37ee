"""How many bytes somebody may send. Counts, unlike the exact windows, cost the same for a byte and for a megabyte."""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from specloop.errors import RateLimited

WINDOW_SECONDS = 10
"""What was not sent may be made up for within this time, so that a burst after a pause goes through."""

REQUEST_BYTES_MIN = 1 << 10
"""What the smallest request counts."""


class Throughput:
    """At most `bytes_per_second` for each key in this process, on average over the window; 0 is no limit."""

    def __init__(self, bytes_per_second: int) -> None:
        self._amount = bytes_per_second * WINDOW_SECONDS
        self._item = RateLimitItemPerSecond(max(1, self._amount), WINDOW_SECONDS)
        self._strategy = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def take(self, key: str, size: int) -> None:
        """Count a request of `size` bytes; one larger than a whole window counts as the window.

        Raises: RateLimited.
        """
        if not self._amount:
            return
        cost = min(max(size, REQUEST_BYTES_MIN), self._amount)
        if not await self._strategy.hit(self._item, key, cost=cost):
            stats = await self._strategy.get_window_stats(self._item, key)
            raise RateLimited(retry_after=min(WINDOW_SECONDS, max(1, math.ceil(stats.reset_time - time.time()))))
