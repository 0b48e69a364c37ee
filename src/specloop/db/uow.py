"""One transaction and what must happen after it. The edge or the job opens it; domain code never commits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, event, text
from sqlalchemy.ext.asyncio import AsyncSession

AfterCommit = Callable[[], Awaitable[None]]
ALL_WORKSPACES = "*"
"""What a unit of the platform itself enters (sign-in, dispatchers, account-wide lists) to see every workspace."""


_ENTER = text("SELECT set_config('app.workspace_id', :workspace, true)")


class UnitOfWork:
    """A database session, opened when it is first used, with a list of callbacks for after the commit.

    Callbacks wake others (dispatchers, event streams, caches); they must not carry work that may not be lost:
    that goes into a row of the same transaction.
    """

    def __init__(
        self,
        open_session: Callable[[], AsyncSession],
        engine_name: str,
        workspace_id: str | None = None,
        *,
        is_writing: bool = False,
    ) -> None:
        """On PostgreSQL it sees the rows of `workspace_id` only, and of no workspace when there is none."""
        self.engine_name = engine_name
        self._is_writing = is_writing
        self._open_session = open_session
        self._session: AsyncSession | None = None
        self._workspace_id = workspace_id or ""
        self._after_commit: list[AfterCommit] = []

    @property
    def session(self) -> AsyncSession:
        """The session; a unit that never asks for it costs nothing."""
        if self._session is None:
            self._session = self._open_session()
            if self.engine_name == "postgresql":
                event.listen(self._session.sync_session, "after_begin", self._on_begin)
        return self._session

    @property
    def blocks_writers(self) -> bool:
        """Whether everybody else who writes waits for this unit to end, since SQLite has one writer."""
        return self._is_writing and self._session is not None and self.engine_name == "sqlite"

    def after_commit(self, callback: AfterCommit) -> None:
        """Run `callback` once the transaction is durable; never when it is rolled back."""
        self._after_commit.append(callback)

    def _on_begin(self, _session: object, _transaction: object, connection: Connection) -> None:
        """Tell PostgreSQL's row-level security whose rows this transaction may see."""
        connection.execute(_ENTER, {"workspace": self._workspace_id})

    async def commit(self) -> None:
        """Make the work durable, then run the callbacks in order."""
        if self._session is not None:
            await self._session.commit()
        callbacks, self._after_commit = self._after_commit, []
        for callback in callbacks:
            await callback()

    async def rollback(self) -> None:
        """Undo everything and forget the callbacks."""
        self._after_commit.clear()
        if self._session is not None:
            await self._session.rollback()

    async def close(self) -> None:
        """Give the connection back; what was not committed is undone."""
        if self._session is not None:
            await self._session.close()
