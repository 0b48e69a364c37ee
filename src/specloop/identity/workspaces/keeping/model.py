"""The seams of keeping: what other stages bring so that their records end in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from specloop.db.context import Context
from specloop.identity.workspaces.model import Retention


class Sweeper(Protocol):
    """Deletes one kind of record by age."""

    @property
    def kind(self) -> str:
        """The kind as in `Retention`, without `_days`: `traces`, `sessions`, `scan_events`, `audit`."""
        ...

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """Delete a bounded batch of the workspace's records that ended before `before`, never newer ones.

        How many they were; it is called again, each time in a unit of work of its own, until that is 0.
        """
        ...


class Store(Protocol):
    """A place beside the plain tables that holds what belongs to workspaces: telemetry, blobs, an index."""

    async def erase(self, account_id: str, workspace_id: str) -> None:
        """Delete everything of the workspace in units of work of its own; harmless when repeated."""
        ...


Tidying = Callable[[], Awaitable[object]]
"""Takes off the disk what deletions have only hidden. Called after each sweep."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A workspace and how long it keeps what."""

    account_id: str
    workspace_id: str
    retention: Retention
