"""The webhooks of a workspace."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Response

from specloop.db.paging import PageRequest
from specloop.identity.workspaces.webhooks.schema import NewWebhookBody, WebhookBody, WebhookCreate, render_webhook
from specloop.identity.workspaces.webhooks.service import WebhookService
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/webhooks", tags=["Workspaces"])
Webhooks = Annotated[WebhookService, Depends(provided(WebhookService))]


@router.get("", summary="List webhooks", response_model=PageBody[WebhookBody])
@requires("admin:workspace")
async def list_webhooks(
    workspace_id: str, ctx: Ctx, webhooks: Webhooks, page: Annotated[PageRequest, sorted_by("created_at", "url")]
) -> dict[str, Any]:
    """With how deliveries go; sort by created_at or url."""
    return page_body(await webhooks.list(ctx, page), render_webhook)


@router.post("", status_code=201, summary="Add a webhook", response_model=NewWebhookBody)
@requires("admin:workspace", secret_fields=("secret",))
async def add_webhook(
    workspace_id: str, body: WebhookCreate, ctx: Ctx, webhooks: Webhooks, response: Response
) -> dict[str, Any]:
    """Messages are signed as Standard Webhooks are; `secret` is shown here and never again."""
    webhook, secret = await webhooks.add(ctx, body.url, body.events)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/webhooks/{webhook.id}"
    return {**render_webhook(webhook), "secret": secret}


@router.delete("/{webhook_id}", status_code=204, summary="Remove a webhook")
@requires("admin:workspace")
async def remove_webhook(workspace_id: str, webhook_id: str, ctx: Ctx, webhooks: Webhooks) -> None:
    """Nothing more is sent there."""
    await webhooks.remove(ctx, webhook_id.lower())
