"""Taking everything along, and leaving for good: exports and deletion. The work itself happens in jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any, Protocol

from specloop import jobs
from specloop.db.blobs import BlobStore, Digest
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity import audit
from specloop.identity.accounts import belongings, repository
from specloop.identity.accounts.belongings import Exporting
from specloop.identity.accounts.errors import AccountNotFound, ExportNotFound, ExportNotReady, SystemAccountFixed
from specloop.identity.accounts.model import Account, AccountStatus, Export, ExportStatus
from specloop.identity.tokens import SessionService
from specloop.jobs import JobContext, Lane, Tasks
from specloop.kit.ids import new_id

EXPORT_JOB = "accounts.export"
ERASE_JOB = "accounts.erase"
EXPIRE_JOB = "accounts.expire_exports"
EXPORT_LIFETIME = timedelta(days=7)
"""An export holds copies of what may be deleted meanwhile, so it does not stay."""
GRACE = timedelta(days=30)


class Elsewhere(Protocol):
    """A store beside the state store that holds what belongs to accounts: telemetry, blobs."""

    async def erase(self, account_id: str) -> None:
        """Delete what belongs to the account; harmless when repeated."""
        ...


class LeavingService:
    """Exports and deletes accounts."""

    def __init__(
        self,
        sessions: SessionService,
        blobs: BlobStore,
        elsewhere: Sequence[Elsewhere] = (),
        exporting: Exporting | None = None,
        grace: timedelta = GRACE,
    ) -> None:
        self._sessions = sessions
        self._blobs = blobs
        self._elsewhere = elsewhere
        self._exporting = exporting or Exporting()
        self._grace = grace

    async def request_export(self, ctx: Context) -> Export:
        """Have a copy of everything in the caller's account made."""
        export = Export(
            id=new_id(),
            account_id=ctx.principal.account_id,
            status=ExportStatus.QUEUED,
            blob_digest=None,
            requested_by=ctx.principal.actor_id,
            created_at=ctx.clock.now(),
            finished_at=None,
        )
        await repository.add_export(ctx, export)
        await jobs.enqueue(ctx, EXPORT_JOB, {"export_id": export.id}, queue=Lane.MAINTENANCE)
        await audit.record(ctx, "account.export_requested", "export", export.id)
        return export

    async def export(self, ctx: Context, export_id: str) -> Export:
        """An export of the caller's account.

        Raises: ExportNotFound.
        """
        export = await repository.find_export(ctx, ctx.principal.account_id, export_id)
        if export is None:
            raise ExportNotFound
        return export

    async def content(self, ctx: Context, export_id: str) -> tuple[int, AsyncIterator[bytes]]:
        """The size and the JSON of a finished export.

        Raises: ExportNotFound; ExportNotReady.
        """
        export = await self.export(ctx, export_id)
        if export.blob_digest is None:
            raise ExportNotReady
        return await self._blobs.stream(Digest(export.blob_digest))

    async def request_deletion(self, ctx: Context) -> Account:
        """Close the caller's account at once and have it erased after the grace period.

        Raises: AccountNotFound; SystemAccountFixed.
        """
        account = await repository.find_account(ctx, ctx.principal.account_id, is_locked=True)
        if account is None:
            raise AccountNotFound
        if account.is_system:
            raise SystemAccountFixed
        await repository.change_account(ctx, account.id, {"status": AccountStatus.DELETING})
        for user_id, elsewhere in await repository.homes_elsewhere(ctx, account.id):
            if elsewhere is None:
                await self._sessions.revoke_all(ctx, user_id, "the account is being deleted")
            else:
                await repository.change_user(ctx, user_id, {"account_id": elsewhere})
        run_at = ctx.clock.now() + self._grace
        await jobs.enqueue(ctx, ERASE_JOB, {"account_id": account.id}, queue=Lane.MAINTENANCE, run_at=run_at)
        await audit.record(ctx, "account.deletion_requested", "account", account.id)
        return account

    async def restore(self, ctx: Context, account_id: str) -> None:
        """Open a closed account again; for the operator, within the grace period.

        Raises: AccountNotFound.
        """
        if await repository.find_account(ctx, account_id, is_locked=True) is None:
            raise AccountNotFound
        await repository.change_account(ctx, account_id, {"status": AccountStatus.ACTIVE})
        await audit.record(ctx, "account.restored", "account", account_id, account_id=account_id)

    def tasks(self) -> Tasks:
        """The jobs of this service."""
        tasks = Tasks()
        tasks.job(EXPORT_JOB, queue=Lane.MAINTENANCE)(self._run_export)
        tasks.job(ERASE_JOB, queue=Lane.MAINTENANCE)(self._run_erasure)
        tasks.scheduled(EXPIRE_JOB, cron="37 2 * * *")(self._run_expiry)
        return tasks

    async def _run_export(self, job: JobContext, payload: dict[str, Any]) -> None:
        account_id = job.principal.account_id

        async def write() -> str:
            return await self._blobs.put(_exported(job, account_id, self._exporting))

        digest = await job.step("write", write)

        async def finish(ctx: Context) -> None:
            await repository.finish_export(ctx, payload["export_id"], digest)

        await job.transaction("finish", finish)

    async def _run_erasure(self, job: JobContext, payload: dict[str, Any]) -> None:
        account_id = str(payload["account_id"])
        if not await _is_deleting(job, account_id):
            return  # restored, or erased by an earlier attempt
        for store in self._elsewhere:
            await store.erase(account_id)
        async with job.database.reading(ALL_WORKSPACES) as unit:
            digests = await repository.export_digests(Context(job.principal, unit, job.clock), account_id)
        for digest in digests:
            await self._blobs.delete(Digest(digest))
        await _erase_rows(job, account_id)

    async def _run_expiry(self, job: JobContext, payload: dict[str, Any]) -> None:
        """The file goes before the row: after a kill in between the row leads here again."""
        del payload
        async with job.database.reading(ALL_WORKSPACES) as unit:
            ctx = Context(job.principal, unit, job.clock)
            old = await repository.exports_before(ctx, job.clock.now() - EXPORT_LIFETIME)
        for export_id, digest in old:
            if digest is not None:
                await self._blobs.delete(Digest(digest))
            async with job.database.writing(ALL_WORKSPACES) as unit:
                await repository.remove_export(Context(job.principal, unit, job.clock), export_id)


async def _exported(job: JobContext, account_id: str, exporting: Exporting) -> AsyncIterator[bytes]:
    async with job.database.reading(ALL_WORKSPACES) as unit:
        async for chunk in belongings.export_json(Context(job.principal, unit, job.clock), account_id, exporting):
            yield chunk


async def _is_deleting(job: JobContext, account_id: str) -> bool:
    async with job.database.reading(ALL_WORKSPACES) as unit:
        account = await repository.find_account(Context(job.principal, unit, job.clock), account_id)
    return account is not None and account.status is AccountStatus.DELETING


async def _erase_rows(job: JobContext, account_id: str) -> None:
    """Each table in a transaction of its own, so that other writers get their turn; the account's row goes last."""
    database: Database = job.database
    tables = reversed(belongings.tables_of_accounts())
    for table in sorted(tables, key=lambda one: one.name == "accounts"):
        async with database.writing(ALL_WORKSPACES) as unit:
            ctx = Context(job.principal, unit, job.clock)
            await belongings.erase_table(ctx, table, account_id)
            if table.name == "accounts":
                system = await repository.find_system_account(ctx)
                kept_in = system.id if system else account_id
                await audit.record(ctx, "account.deleted", "account", account_id, account_id=kept_in)
