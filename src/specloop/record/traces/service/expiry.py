"""Ends traces by age, and all that a workspace has of them when the workspace itself is deleted."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from functools import partial

from specloop.db.blobs import BlobStore, Digest
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import ALL_WORKSPACES
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal
from specloop.record.traces.repository import expiry
from specloop.record.traces.service.opinions import TraceDeleted

TRACES_AT_ONCE = 2_000


class TraceExpiry:
    """A sweeper of traces, with opinions and exports, and the store of their spans (see `identity.workspaces`)."""

    kind = "traces"

    def __init__(
        self,
        database: Database,
        telemetry: TelemetryStore,
        blobs: BlobStore,
        clock: Clock,
        observers: Sequence[TraceDeleted] = (),
    ) -> None:
        self._database = database
        self._telemetry = telemetry
        self._blobs = blobs
        self._clock = clock
        self._observers = observers

    async def sweep(self, ctx: Context, before: datetime) -> int:
        """Delete up to 2,000 traces that ended before `before`; exports and arrivals of that time go with them."""
        await expiry.delete_arrivals(ctx, before)
        await self._delete_exports(ctx, before)
        found = await expiry.find_old(self._telemetry, ctx.workspace_id, before, TRACES_AT_ONCE)
        if found:
            await expiry.delete_opinions(ctx, found)
            for trace_id in found:
                for tell in self._observers:
                    await tell(ctx, trace_id)
            # Not while the state store is held: the engine may take seconds. What a crash leaves is found again.
            ctx.uow.after_commit(partial(expiry.delete_old, self._telemetry, ctx.workspace_id, found, before))
        return len(found)

    async def erase(self, account_id: str, workspace_id: str) -> None:
        """Delete the workspace's spans and the files of its exports."""
        await expiry.delete_workspace(self._telemetry, workspace_id)
        who = system_principal(account_id, workspace_id, frozenset())
        async with self._database.writing(workspace_id) as unit:
            await self._delete_exports(Context(who, unit, self._clock), None)

    async def _delete_exports(self, ctx: Context, before: datetime | None) -> None:
        """A file goes before its rows: after a kill in between the rows lead here again."""
        found = await expiry.exports_until(ctx, before)
        ending = {export_id for export_id, _ in found}
        for digest in {digest for _, digest in found if digest is not None}:
            if not await self._is_shared(digest, ending):
                await self._blobs.delete(Digest(digest))
        await expiry.delete_exports(ctx, sorted(ending))

    async def _is_shared(self, digest: str, ending: Container[str]) -> bool:
        async with self._database.reading(ALL_WORKSPACES) as unit:
            nobody = system_principal("", None, frozenset())
            return await expiry.is_shared(Context(nobody, unit, self._clock), digest, ending)
