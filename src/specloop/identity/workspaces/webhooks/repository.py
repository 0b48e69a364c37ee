"""SQL of webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.workspaces.model import WorkspaceStatus
from specloop.identity.workspaces.tables import WorkspaceRow
from specloop.identity.workspaces.webhooks.model import Webhook, WebhookStatus
from specloop.identity.workspaces.webhooks.tables import WebhookRow


def _to_webhook(row: WebhookRow) -> Webhook:
    return Webhook(
        id=row.id,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        url=row.url,
        events=tuple(row.events),
        salt=row.salt,
        status=WebhookStatus(row.status),
        last_event_id=row.last_event_id,
        last_sent_at=row.last_sent_at,
        failing_since=row.failing_since,
        last_error=row.last_error,
        created_at=row.created_at,
        created_by=row.created_by,
    )


async def add(ctx: Context, webhook: Webhook) -> None:
    """Insert a webhook."""
    ctx.session.add(
        WebhookRow(
            id=webhook.id,
            account_id=webhook.account_id,
            workspace_id=webhook.workspace_id,
            url=webhook.url,
            events=list(webhook.events),
            salt=webhook.salt,
            status=webhook.status,
            last_event_id=webhook.last_event_id,
            last_sent_at=None,
            failing_since=None,
            last_error=None,
            created_at=webhook.created_at,
            created_by=webhook.created_by,
        )
    )
    await ctx.session.flush()


async def count(ctx: Context) -> int:
    """How many webhooks the caller's workspace has."""
    found = await ctx.session.scalar(
        select(func.count()).select_from(WebhookRow).where(WebhookRow.workspace_id == ctx.workspace_id)
    )
    return found or 0


async def list_webhooks(ctx: Context, page: PageRequest) -> Page[Webhook]:
    """The webhooks of the caller's workspace."""
    found = await paginate(
        ctx.session,
        select(WebhookRow).where(WebhookRow.workspace_id == ctx.workspace_id),
        page,
        sortable={"created_at": WebhookRow.created_at, "url": WebhookRow.url},
        default_sort="created_at",
        tie_break=WebhookRow.id,
    )
    return Page([_to_webhook(row) for row in found.results], found.total, found.limit, found.offset)


async def get(ctx: Context, webhook_id: str) -> Webhook | None:
    """A webhook of the caller's workspace."""
    row = await ctx.session.scalar(
        select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.workspace_id == ctx.workspace_id)
    )
    return None if row is None else _to_webhook(row)


async def remove(ctx: Context, webhook_id: str) -> None:
    """Delete a webhook of the caller's workspace."""
    await ctx.session.execute(
        delete(WebhookRow)
        .where(WebhookRow.id == webhook_id, WebhookRow.workspace_id == ctx.workspace_id)
        .execution_options(synchronize_session=False)
    )


async def all_active(ctx: Context) -> list[Webhook]:
    """The webhooks of all active workspaces that have not been given up: for the sweep."""
    rows = await ctx.session.scalars(
        select(WebhookRow)
        .join(WorkspaceRow, WorkspaceRow.id == WebhookRow.workspace_id)
        .where(WebhookRow.status == WebhookStatus.ACTIVE, WorkspaceRow.status == WorkspaceStatus.ACTIVE)
        .order_by(WebhookRow.id)
    )
    return [_to_webhook(row) for row in rows]


async def change(ctx: Context, webhook_id: str, values: Mapping[str, Any]) -> None:
    """Write `values` into a webhook of the caller's workspace."""
    await ctx.session.execute(
        update(WebhookRow)
        .where(WebhookRow.id == webhook_id, WebhookRow.workspace_id == ctx.workspace_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
