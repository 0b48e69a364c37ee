"""Counts attempts in moving windows and says when to come back.

Failures count, not tries, so that a busy office behind one address is not locked out. What races can gain before the
first failure is counted is bounded by the queue in front of password hashing.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from specloop.errors import RateLimited

FAILURES_PER_USER = 10
FAILURES_PER_ADDRESS = 100
WINDOW_MINUTES = 15
REGISTRATIONS_PER_HOUR = 300
MAILS_PER_HOUR = 5

_USER = RateLimitItemPerMinute(FAILURES_PER_USER, WINDOW_MINUTES, "sign-in-user")
_ADDRESS = RateLimitItemPerMinute(FAILURES_PER_ADDRESS, WINDOW_MINUTES, "sign-in-address")


class Throttle:
    """Limits sign-in failures (spectral.md §1.3 router 1: 10 in 15 minutes), registrations and mails."""

    def __init__(self, storage_url: str = "async+memory://", registrations_per_hour: int = REGISTRATIONS_PER_HOUR):
        storage = storage_from_string(storage_url)
        if not isinstance(storage, Storage):
            raise TypeError(f"the throttle needs an asynchronous store, not {storage_url}")
        self._windows = MovingWindowRateLimiter(storage)
        self._registrations = RateLimitItemPerSecond(registrations_per_hour, 3600, "register")
        self._mails = RateLimitItemPerSecond(MAILS_PER_HOUR, 3600, "mail")

    async def check_sign_in(self, user: str, address: str) -> None:
        """Refuse an attempt after too many failures.

        Raises: RateLimited.
        """
        await self._check(_USER, user.lower())
        await self._check(_ADDRESS, address)

    async def count_failure(self, user: str, address: str) -> None:
        """Count a failed attempt."""
        await self._windows.hit(_USER, user.lower())
        await self._windows.hit(_ADDRESS, address)

    async def forgive(self, user: str) -> None:
        """Forget a user's failures after a success; those of the address stay."""
        await self._windows.clear(_USER, user.lower())

    async def count_registration(self, address: str) -> None:
        """Count an attempt to register.

        Raises: RateLimited.
        """
        if not await self._windows.hit(self._registrations, address):
            await self._refuse(self._registrations, address)

    async def may_mail(self, recipient: str) -> bool:
        """Whether one more mail may go to that address; nobody's inbox is flooded through us."""
        return await self._windows.hit(self._mails, recipient.lower())

    async def _check(self, item: RateLimitItemPerMinute, key: str) -> None:
        if not await self._windows.test(item, key):
            await self._refuse(item, key)

    async def _refuse(self, item: RateLimitItemPerMinute | RateLimitItemPerSecond, key: str) -> None:
        stats = await self._windows.get_window_stats(item, key)
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        raise RateLimited("Too many attempts; come back later", retry_after=wait)
