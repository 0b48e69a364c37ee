"""Deleting whole workspaces, one by one or with their account: first what lies beside the tables, then the rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity import audit
from specloop.identity.workspaces.keeping import repository
from specloop.identity.workspaces.keeping.model import Kept, Store
from specloop.identity.workspaces.model import DELETION_GRACE_DAYS
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal

GRACE = timedelta(days=DELETION_GRACE_DAYS)


class Erasure:
    """Deletes for good. Also what account deletion calls for everything outside of the account's own rows."""

    def __init__(self, database: Database, clock: Clock, stores: Sequence[Store]) -> None:
        self._database = database
        self._clock = clock
        self._stores = stores

    async def erase(self, account_id: str) -> None:
        """Empty the stores of every workspace of the account; the rows of its tables are the caller's to delete."""
        async with self._database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(system_principal(account_id, None, frozenset()), unit, self._clock)
            found = await repository.ids_of_account(ctx, account_id)
        for workspace_id in found:
            await self._empty(account_id, workspace_id)

    async def erase_archived(self) -> int:
        """Erase the workspaces whose grace period is over; how many (spectral.md §1.2.3)."""
        async with self._database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(system_principal("", None, frozenset()), unit, self._clock)
            due = await repository.archived_before(ctx, self._clock.now() - GRACE)
        for workspace in due:
            await self._erase_workspace(workspace)
        return len(due)

    async def _empty(self, account_id: str, workspace_id: str) -> None:
        for store in self._stores:
            await store.erase(account_id, workspace_id)

    async def _erase_workspace(self, workspace: Kept) -> None:
        """Each table in a transaction of its own, so that other writers get their turn; the workspace goes last."""
        await self._empty(workspace.account_id, workspace.workspace_id)
        inside, outside = (
            system_principal(workspace.account_id, within, frozenset()) for within in (workspace.workspace_id, None)
        )
        for table in repository.tables_of_workspaces():
            async with self._database.writing(ALL_WORKSPACES) as unit:
                await repository.erase_table(Context(inside, unit, self._clock), table, workspace.workspace_id)
        async with self._database.writing(ALL_WORKSPACES) as unit:
            ctx = Context(outside, unit, self._clock)
            await repository.erase_workspace(ctx, workspace.workspace_id)
            await audit.record(ctx, "workspace.deleted", "workspace", workspace.workspace_id)
