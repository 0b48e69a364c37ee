"""Webhooks on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from specloop.identity.workspaces.webhooks.model import Webhook, WebhookStatus
from specloop.transport.schema import Input, Moment, Output

Pattern = Annotated[str, StringConstraints(max_length=100, pattern=r"^(\*|[a-z_]+\.(\*|[a-z_]+))$")]
Address = Annotated[str, StringConstraints(min_length=8, max_length=2000, pattern=r"^https?://[\x21-\x7e]+$")]


class WebhookCreate(Input):
    """An address and the events it wants: actions of the audit log, `noun.*`, or `*`."""

    url: Address
    events: list[Pattern] = Field(default_factory=lambda: ["*"], min_length=1, max_length=100)


class WebhookBody(Output):
    """A webhook without its secret."""

    id: str
    url: str
    status: WebhookStatus
    last_sent_at: Moment | None
    failing_since: Moment | None
    last_error: str | None
    created_at: Moment
    created_by: str | None
    events: list[str]


class NewWebhookBody(WebhookBody):
    """A webhook with its signing secret: the one answer that ever shows it; a replayed answer has null there."""

    secret: str | None


def render_webhook(webhook: Webhook) -> dict[str, Any]:
    """The members of `WebhookBody`."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "status": webhook.status,
        "last_sent_at": webhook.last_sent_at,
        "failing_since": webhook.failing_since,
        "last_error": webhook.last_error,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "events": list(webhook.events),
    }
