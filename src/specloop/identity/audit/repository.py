"""SQL of the audit log."""

from __future__ import annotations

from sqlalchemy import Select, insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.audit.model import AuditEvent, AuditFilter
from specloop.identity.audit.tables import AuditEventRow

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
