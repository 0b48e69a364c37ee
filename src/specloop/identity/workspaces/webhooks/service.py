"""Add, show and remove webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.identity.workspaces.service import feed
from specloop.identity.workspaces.service.standing import current_active
from specloop.identity.workspaces.webhooks import repository
from specloop.identity.workspaces.webhooks.addresses import check_url
from specloop.identity.workspaces.webhooks.errors import TooManyWebhooks, WebhookNotFound
from specloop.identity.workspaces.webhooks.model import Webhook, WebhookStatus, secret_of
from specloop.kit.crypto import Pepper, random_token
from specloop.kit.ids import new_id

WEBHOOKS_MAX = 20


class WebhookService:
    """The webhooks of all workspaces; `allows_private` lets them point into the server's own network."""

    def __init__(self, pepper: Pepper, *, allows_private: bool = False) -> None:
        self._pepper = pepper
        self._allows_private = allows_private

    async def add(self, ctx: Context, url: str, events: Sequence[str]) -> tuple[Webhook, str]:
        """A webhook for what happens from now on, and its signing secret, which is shown this once.

        Raises: AddressRefused, TooManyWebhooks, WorkspaceArchived.
        """
        check_url(url, allows_private=self._allows_private)
        workspace = await current_active(ctx)
        if await repository.count(ctx) >= WEBHOOKS_MAX:
            raise TooManyWebhooks
        webhook = Webhook(
            id=new_id(),
            account_id=workspace.account_id,
            workspace_id=workspace.id,
            url=url,
            events=tuple(dict.fromkeys(events)),
            salt=random_token(16),
            status=WebhookStatus.ACTIVE,
            last_event_id=await feed.newest_id(ctx),
            last_sent_at=None,
            failing_since=None,
            last_error=None,
            created_at=ctx.clock.now(),
            created_by=ctx.principal.user_id,
        )
        await repository.add(ctx, webhook)
        await audit.record(ctx, "webhook.created", "webhook", webhook.id, {"url": url, "events": list(webhook.events)})
        return webhook, secret_of(self._pepper, webhook.id, webhook.salt)

    async def list(self, ctx: Context, page: PageRequest) -> Page[Webhook]:
        """The webhooks of the caller's workspace, oldest first unless `page` says otherwise."""
        return await repository.list_webhooks(ctx, page)

    async def remove(self, ctx: Context, webhook_id: str) -> None:
        """Stop sending to an address.

        Raises: WebhookNotFound.
        """
        webhook = await repository.get(ctx, webhook_id)
        if webhook is None:
            raise WebhookNotFound
        await repository.remove(ctx, webhook_id)
        await audit.record(ctx, "webhook.deleted", "webhook", webhook_id, {"url": webhook.url})
