"""Password hashing with argon2id in a small pool of threads (RFC 9106, OWASP's 19 MiB profile).

Length is checked before anything is hashed, the queue is bounded, and unknown users cost the same work as known ones.
A hash takes tens of milliseconds: callers must not hold a transaction meanwhile (see `paused`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from specloop.db.context import Context
from specloop.identity.accounts.errors import HashingBusy, PasswordLength

LENGTH_MIN = 6
LENGTH_MAX = 128
WORKERS = 2
WAITING_MAX = 32

T = TypeVar("T")


class Passwords:
    """Hashes and verifies passwords; `length_min` is the deployment's own minimum.

    `verifications` counts the hashes spent on verifying, `busy` is how many calls run or wait.
    """

    def __init__(self, length_min: int = LENGTH_MIN, memory_kib: int = 19_456, time_cost: int = 2) -> None:
        self._length_min = length_min
        self._argon2 = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="passwords")
        self.busy = 0
        self.verifications = 0
        self._decoy = self._argon2.hash("no user has this password")

    def check_length(self, password: str, field: str = "password") -> None:
        """Refuse a password outside the limits (spectral.md §1.3 router 1: 6..128).

        Raises: PasswordLength.
        """
        if not self._length_min <= len(password) <= LENGTH_MAX:
            message = f"use {self._length_min} to {LENGTH_MAX} characters"
            raise PasswordLength(
                f"body.{field}: {message}", errors=[{"loc": ["body", field], "msg": message, "code": "length"}]
            )

    async def hash(self, password: str) -> str:
        """The argon2id text of a password of allowed length.

        Raises: PasswordLength; HashingBusy.
        """
        self.check_length(password)
        return await self.run(lambda: self._argon2.hash(password))

    async def rehash(self, password: str) -> str:
        """The text of a password that is in use already, whatever today's minimum is.

        Raises: HashingBusy.
        """
        return await self.run(lambda: self._argon2.hash(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether `password` is the stored one. With None the same work is done and the answer is False.

        Raises: HashingBusy.
        """
        if len(password) > LENGTH_MAX:
            return False
        self.verifications += 1
        is_right = await self.run(lambda: self._matches(stored or self._decoy, password))
        return is_right and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether the stored text was made with other costs than today's."""
        return self._argon2.check_needs_rehash(stored)

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def run(self, work: Callable[[], T]) -> T:
        """Do some slow work in one of the threads.

        Raises: HashingBusy.
        """
        if self.busy >= WORKERS + WAITING_MAX:
            raise HashingBusy(retry_after=1)
        self.busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self.busy -= 1


@asynccontextmanager
async def paused(ctx: Context) -> AsyncGenerator[None]:
    """Give the connection back for a while, and with it SQLite's only writer; what was read before may be outdated.

    Nothing may have been written in the transaction yet: it is rolled back.
    """
    await ctx.uow.rollback()
    yield
