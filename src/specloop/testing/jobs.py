"""Doubles for durable work: an engine that remembers in memory, and a fuse that ends a worker at any chosen point.

A killed process does nothing more. So once its fuse has blown, every way in which a worker can leave a trace (the
state store, the engine's record) refuses; what is still running can only fall over.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

from specloop.db.database import Database
from specloop.db.uow import UnitOfWork
from specloop.jobs.engine import Body

_attempt: ContextVar[str] = ContextVar("specloop_memory_attempt")


class Killed(BaseException):
    """The simulated process has ended here. Not an Exception: nothing may handle it."""


class Fuse:
    """Blows at the `burns`-th point that is passed; None never blows."""

    def __init__(self, burns: int | None = None) -> None:
        self._left = burns
        self.is_blown = False

    def burn(self) -> None:
        """Pass a point.

        Raises: Killed when the fuse blows or has blown.
        """
        if self._left is not None:
            self._left -= 1
            self.is_blown = self.is_blown or self._left <= 0
        if self.is_blown:
            raise Killed


class FusedDatabase(Database):
    """A state store with points before each unit, before its commit (which is then lost) and after it."""

    def __init__(self, inner: Database, fuse: Fuse) -> None:
        super().__init__(inner.url, inner.reader_engine, inner.writer_engine)
        self._fuse = fuse

    @asynccontextmanager
    async def reading(self, workspace_id: str | None = None) -> AsyncGenerator[UnitOfWork]:
        """A reading unit between two points."""
        self._fuse.burn()
        async with super().reading(workspace_id) as unit:
            yield unit
        self._fuse.burn()

    @asynccontextmanager
    async def writing(self, workspace_id: str | None = None) -> AsyncGenerator[UnitOfWork]:
        """A writing unit between three points."""
        self._fuse.burn()
        async with super().writing(workspace_id) as unit:
            yield unit
            self._fuse.burn()
        self._fuse.burn()


class MemoryEngine:
    """An engine whose record is a dict that the test keeps from one worker to the next."""

    def __init__(self, record: dict[str, dict[str, Any]] | None = None, fuse: Fuse | None = None) -> None:
        self.record: dict[str, dict[str, Any]] = {} if record is None else record
        self._fuse = fuse or Fuse()

    async def start(self) -> None:
        """Nothing to open."""

    async def stop(self) -> None:
        """Nothing to close."""

    async def run(self, workflow_id: str, body: Body) -> None:
        """Run `body`.

        Raises: RuntimeError when the attempt is not new.
        """
        self._fuse.burn()
        if workflow_id in self.record:
            raise RuntimeError(f"the attempt {workflow_id} was started twice")
        self.record[workflow_id] = {}
        self._fuse.burn()
        _attempt.set(workflow_id)
        await body()
        self._fuse.burn()

    async def step(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Run and record, with points around both."""
        self._fuse.burn()
        value = await function()
        self._fuse.burn()
        self.record[_attempt.get()][key] = value
        self._fuse.burn()
        return value

    async def recorded(self, workflow_ids: Iterable[str]) -> dict[str, Any]:
        """The results recorded for these attempts."""
        self._fuse.burn()
        return {key: value for name in workflow_ids for key, value in self.record.get(name, {}).items()}

    async def known(self) -> list[str]:
        """All attempts in the record."""
        self._fuse.burn()
        return list(self.record)

    async def forget(self, workflow_ids: Iterable[str]) -> None:
        """Drop these attempts."""
        self._fuse.burn()
        for workflow_id in workflow_ids:
            self.record.pop(workflow_id, None)
