"""SQL of the audit log."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Select, delete, insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.audit.model import AuditEvent, AuditFilter
from specloop.identity.audit.tables import AuditEventRow

_DELETED_AT_ONCE = 2_000
SORTABLE = {"at": AuditEventRow.at, "action": AuditEventRow.action}


async def add(ctx: Context, event: AuditEvent) -> None:
    """Write `event` in the open transaction."""
    values = {name: getattr(event, name) for name in AuditEvent.__slots__}
    await ctx.session.execute(insert(AuditEventRow).values(values))


async def find(ctx: Context, wanted: AuditFilter, page: PageRequest) -> Page[AuditEvent]:
    """The events that match, newest first unless sorted otherwise."""
    found = await paginate(
        ctx.session, _query(wanted), page, sortable=SORTABLE, default_sort="-at", tie_break=AuditEventRow.id.desc()
    )
    return Page([_event(row) for row in found.results], found.total, found.limit, found.offset)


async def delete_before(ctx: Context, before: datetime) -> int:
    """Delete some of the oldest events of the caller's workspace; how many."""
    old = (
        select(AuditEventRow.id)
        .where(AuditEventRow.workspace_id == ctx.workspace_id, AuditEventRow.at < before)
        .order_by(AuditEventRow.id)
        .limit(_DELETED_AT_ONCE)
    )
    gone = await ctx.session.scalars(
        delete(AuditEventRow)
        .where(AuditEventRow.id.in_(old))
        .returning(AuditEventRow.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _query(wanted: AuditFilter) -> Select[AuditEventRow]:
    query = select(AuditEventRow).where(AuditEventRow.account_id == wanted.account_id)
    if wanted.workspace_id is not None:
        query = query.where(AuditEventRow.workspace_id == wanted.workspace_id)
    if wanted.actor is not None:
        query = query.where(AuditEventRow.actor_id == wanted.actor)
    if wanted.action is not None:
        query = query.where(AuditEventRow.action == wanted.action)
    if wanted.since is not None:
        query = query.where(AuditEventRow.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEventRow.at < wanted.until)
    return query


def _event(row: AuditEventRow) -> AuditEvent:
    return AuditEvent(**{name: getattr(row, name) for name in AuditEvent.__slots__})
