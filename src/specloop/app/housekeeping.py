"""Small things that are done every so often while the program runs, and once more at its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from specloop.kit.log import get_logger

log = get_logger(__name__)
Chore = Callable[[], Awaitable[object]]


@asynccontextmanager
async def every(seconds: float, chore: Chore) -> AsyncGenerator[None]:
    """Run `chore` each `seconds` while the block runs, and a last time when it ends; a failure is logged."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(seconds)
            await _attempt(chore)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await _attempt(chore)


async def _attempt(chore: Chore) -> None:
    try:
        await chore()
    except Exception as error:  # the next round tries again; a chore must not end the program
        log.warning("housekeeping.failed", error=str(error))
