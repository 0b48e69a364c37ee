"""Decides whether one more request fits under a rule.

The window rolls: at most `amount` in *any* span of `seconds` (specstep.md §8). A fixed window would let twice as much
through around its edge, and an approximated one could not say truly when to come back; the price, one number per hit
inside the window, is small. It does not know what a key stands for.
"""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import StorageTypes, storage_from_string

from specloop.errors import StartupError
from specloop.kit.clock import Clock
from specloop.kit.log import get_logger
from specloop.transport.limits.memory import RollingMemory

_log = get_logger(__name__)

T = TypeVar("T")


class BadLimitStore(StartupError):
    """The address for rate limits cannot be used; leave it empty for memory, or write redis://HOST:PORT/NUMBER."""

    code = "bad-limit-store"


@dataclass(frozen=True, slots=True)
class Rule:
    """At most `amount` in any `seconds`. Rules of different names count apart."""

    name: str
    amount: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule says: the cap, how much is left, and in how many seconds the next place becomes free."""

    limit: int
    remaining: int
    reset_seconds: int
    is_allowed: bool = True


class RateLimiter:
    """Counts by key and rule."""

    def __init__(self, windows: Windows, spare: Windows | None = None) -> None:
        """`spare` counts when `windows` cannot be reached."""
        self._windows = windows
        self._spare = spare

    async def check(self, key: str, rule: Rule, cost: int = 1) -> Decision:
        """Count `cost` hits if they fit; a hit that does not fit is not counted."""
        return await self._reachable(lambda windows: windows.check(key, rule, cost))

    async def peek(self, key: str, rule: Rule) -> Decision:
        """What `check` would say, without counting: for throttles that count failures only."""
        return await self._reachable(lambda windows: windows.peek(key, rule))

    async def forget(self, key: str, rule: Rule) -> None:
        """Start over, for example after a successful sign-in."""
        await self._reachable(lambda windows: windows.forget(key, rule))

    async def _reachable(self, ask: Callable[[Windows], Awaitable[T]]) -> T:
        try:
            return await ask(self._windows)
        except StorageError as error:
            if self._spare is None:
                raise
            # Neither open nor shut: while the shared store is away, each process limits by itself.
            _log.error("limits.store_unreachable", reason=str(error))
            return await ask(self._spare)


class Windows:
    """The rolling windows of one storage, read with that storage's own clock."""

    def __init__(self, storage: StorageTypes, read_clock: Callable[[], float]) -> None:
        self._strategy = MovingWindowRateLimiter(storage)
        self._read_clock = read_clock

    async def check(self, key: str, rule: Rule, cost: int) -> Decision:
        """See `RateLimiter.check`."""
        is_allowed = await self._strategy.hit(_item(rule), rule.name, key, cost=cost)
        return await self._decision(key, rule, is_allowed)

    async def peek(self, key: str, rule: Rule) -> Decision:
        """See `RateLimiter.peek`."""
        is_allowed = await self._strategy.test(_item(rule), rule.name, key)
        return await self._decision(key, rule, is_allowed)

    async def forget(self, key: str, rule: Rule) -> None:
        """See `RateLimiter.forget`."""
        await self._strategy.clear(_item(rule), rule.name, key)

    async def _decision(self, key: str, rule: Rule, is_allowed: bool) -> Decision:
        stats = await self._strategy.get_window_stats(_item(rule), rule.name, key)
        wait = math.ceil(stats.reset_time - self._read_clock())
        return Decision(rule.amount, max(0, stats.remaining), min(max(1, wait), rule.seconds), is_allowed)


def open_limiter(url: str, clock: Clock) -> RateLimiter:
    """A limiter in memory for an empty `url`, else in the Redis it names.

    Raises: BadLimitStore.
    """
    memory = Windows(RollingMemory(clock.monotonic), clock.monotonic)
    if not url:
        return RateLimiter(memory)
    if not url.startswith(("redis://", "rediss://")):
        raise BadLimitStore
    try:
        storage = storage_from_string(f"async+{url}", implementation="redispy", wrap_exceptions=True)
    except (ConfigurationError, ValueError) as error:
        raise BadLimitStore(f"rate limits in Redis: {error}") from error
    return RateLimiter(Windows(storage, time.time), spare=memory)


def _item(rule: Rule) -> RateLimitItem:
    return RateLimitItemPerSecond(rule.amount, rule.seconds, namespace="specloop")
