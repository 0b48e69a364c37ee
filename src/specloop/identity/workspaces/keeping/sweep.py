"""The nightly sweep: in every workspace, what is older than its retention settings allow is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity import audit
from specloop.identity.workspaces.keeping import repository
from specloop.identity.workspaces.keeping.erasure import Erasure
from specloop.identity.workspaces.keeping.model import Kept, Sweeper, Tidying
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal
from specloop.kit.log import get_logger

log = get_logger(__name__)


class AuditSweep:
    """Audit rows of a workspace; rows of the account as such stay."""

    kind = "audit"

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """See `Sweeper`."""
        return await audit.delete_before(ctx, before)


class Keeping:
    """Goes through all workspaces. Repeating it is harmless: what is gone is not found again."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sweepers: Sequence[Sweeper],
        erasure: Erasure,
        tidying: Sequence[Tidying] = (),
    ) -> None:
        self._database = database
        self._clock = clock
        self._sweepers = sweepers
        self._erasure = erasure
        self._tidying = tidying

    async def sweep_all(self) -> dict[str, int]:
        """Sweep every workspace, then erase those archived long ago, then tidy up; records deleted by kind.

        A workspace that fails does not hold up the others.
        Raises: ExceptionGroup of what failed, when all else is done.
        """
        async with self._database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(system_principal("", None, frozenset()), unit, self._clock)
            found = await repository.all_workspaces(ctx)
        total: dict[str, int] = {}
        problems: list[Exception] = []
        for workspace in found:
            try:
                for kind, count in (await self.sweep(workspace)).items():
                    total[kind] = total.get(kind, 0) + count
            except Exception as error:
                log.exception("retention.failed", workspace_id=workspace.workspace_id)
                problems.append(error)
        await self._erasure.erase_archived()
        for tidy in self._tidying:
            await tidy()
        if problems:
            raise ExceptionGroup("some workspaces could not be swept", problems)
        return total

    async def sweep(self, workspace: Kept) -> dict[str, int]:
        """Sweep one workspace and record it there; records deleted by kind."""
        counts: dict[str, int] = {}
        now = self._clock.now()
        limits: dict[str, int | None] = asdict(workspace.retention)
        try:
            for sweeper in self._sweepers:
                days = limits[f"{sweeper.kind}_days"]
                if days is not None:
                    await self._sweep_kind(workspace, sweeper, now - timedelta(days=days), counts)
        finally:
            await self._record(workspace, counts)
        return counts

    async def _sweep_kind(self, workspace: Kept, sweeper: Sweeper, before: datetime, counts: dict[str, int]) -> None:
        who = system_principal(workspace.account_id, workspace.workspace_id, frozenset())
        while True:
            async with self._database.writing(workspace.workspace_id) as unit:
                count = await sweeper.sweep(Context(who, unit, self._clock), before)
            if not count:
                return
            counts[sweeper.kind] = counts.get(sweeper.kind, 0) + count

    async def _record(self, workspace: Kept, counts: dict[str, int]) -> None:
        """A night in which nothing was due leaves no row: such rows would only pile up."""
        if not counts:
            return
        who = system_principal(workspace.account_id, workspace.workspace_id, frozenset())
        async with self._database.writing(workspace.workspace_id) as unit:
            ctx = Context(who, unit, self._clock)
            detail = {"deleted": counts, "retention": workspace.retention.as_document()}
            await audit.record(ctx, "retention.swept", "workspace", workspace.workspace_id, detail)
        log.info("retention.swept", workspace_id=workspace.workspace_id, **counts)
