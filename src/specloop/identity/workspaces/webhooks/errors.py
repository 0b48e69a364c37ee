"""What can go wrong with webhooks."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class WebhookNotFound(NotFound):
    """Webhook not found"""


class AddressRefused(BusinessRule):
    """Webhooks go to public addresses only"""


class TooManyWebhooks(BusinessRule):
    """The workspace has as many webhooks as it may have"""
