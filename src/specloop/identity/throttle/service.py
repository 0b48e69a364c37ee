"""Counts attempts in rolling windows and says when to come back.

Failures count, not tries, so that a busy office behind one address is not locked out. What races can gain before the
first failure is counted is bounded by the queue in front of password hashing.
"""

from __future__ import annotations

from specloop.errors import RateLimited
from specloop.transport.limits import RateLimiter, Rule

MINUTE, HOUR = 60, 3600
SIGN_IN_USER = Rule("sign-in-user", 10, 15 * MINUTE)
SIGN_IN_ADDRESS = Rule("sign-in-address", 100, 15 * MINUTE)
RESETS = Rule("reset-address", 60, HOUR)
MAILS = Rule("mail-recipient", 5, HOUR)
DEVICE_CODES = Rule("device-code-address", 30, 15 * MINUTE)


class Throttle:
    """Limits sign-in failures (spectral.md §1.3 router 1: 10 in 15 minutes), registrations and mails."""

    def __init__(self, limiter: RateLimiter, registrations_per_hour: int = 300) -> None:
        self._limiter = limiter
        self._registrations = Rule("register-address", registrations_per_hour, HOUR)

    async def check_sign_in(self, user: str, address: str) -> None:
        """Refuse an attempt after too many failures.

        Raises: RateLimited.
        """
        for key, rule in ((user.lower(), SIGN_IN_USER), (address, SIGN_IN_ADDRESS)):
            decision = await self._limiter.peek(key, rule)
            if not decision.is_allowed:
                raise _too_many(decision.reset_seconds)

    async def count_failure(self, user: str, address: str) -> None:
        """Count a failed attempt."""
        await self._limiter.check(user.lower(), SIGN_IN_USER)
        await self._limiter.check(address, SIGN_IN_ADDRESS)

    async def forgive(self, user: str) -> None:
        """Forget a user's failures after a success; those of the address stay."""
        await self._limiter.forget(user.lower(), SIGN_IN_USER)

    async def count_registration(self, address: str) -> None:
        """Count an attempt to register.

        Raises: RateLimited.
        """
        await self._count(address, self._registrations)

    async def count_reset(self, address: str) -> None:
        """Count a request to reset somebody's password.

        Raises: RateLimited.
        """
        await self._count(address, RESETS)

    async def check_device_code(self, address: str) -> None:
        """Refuse another device code after too many wrong ones (specstory.md §1.1).

        Raises: RateLimited.
        """
        decision = await self._limiter.peek(address, DEVICE_CODES)
        if not decision.is_allowed:
            raise _too_many(decision.reset_seconds)

    async def count_device_failure(self, address: str) -> None:
        """Count a wrong device code."""
        await self._limiter.check(address, DEVICE_CODES)

    async def may_mail(self, recipient: str) -> bool:
        """Whether one more mail may go to that address; nobody's inbox is flooded through us."""
        return (await self._limiter.check(recipient.lower(), MAILS)).is_allowed

    async def _count(self, address: str, rule: Rule) -> None:
        decision = await self._limiter.check(address, rule)
        if not decision.is_allowed:
            raise _too_many(decision.reset_seconds)


def _too_many(seconds: int) -> RateLimited:
    return RateLimited("Too many attempts; come back later", retry_after=seconds)
