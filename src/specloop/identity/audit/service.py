"""Writing and reading the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity.audit import repository
from specloop.identity.audit.epoch import epoch_of
from specloop.identity.audit.model import AuditEvent, AuditFilter
from specloop.kit.ids import new_id


async def record(
    ctx: Context,
    action: str,
    target_type: str,
    target_id: str,
    detail: dict[str, Any] | None = None,
    *,
    account_id: str | None = None,
) -> None:
    """Write that the caller did `action` (`noun.past-tense`) to a target, in the caller's own transaction.

    `account_id` names the account where the caller's own is not yet known (registration, sign-in). `detail` must hold
    no secret.
    """
    who = ctx.principal
    event = AuditEvent(
        id=new_id(),
        account_id=account_id or who.account_id,
        workspace_id=who.workspace_id,
        actor_id=who.actor_id,
        actor_kind=who.kind.value,
        actor_name=who.name,
        action=action,
        target_type=target_type,
        target_id=target_id,
        detail=detail or {},
        request_id=ctx.request.request_id,
        client_ip=ctx.request.client_ip,
        at=ctx.clock.now(),
    )
    await repository.add(ctx, event)
    ctx.uow.after_commit(epoch_of(ctx.session.get_bind()).advance)


async def list_events(ctx: Context, wanted: AuditFilter, page: PageRequest) -> Page[AuditEvent]:
    """A page of the log of one account, or of one of its workspaces."""
    return await repository.find(ctx, wanted, page)


async def delete_before(ctx: Context, before: datetime) -> int:
    """Delete a batch of the caller's workspace's events from before a moment; how many.

    Only retention may: a workspace whose admin chose how long its log is kept.
    """
    return await repository.delete_before(ctx, before)
