"""Webhooks of a workspace: its events, signed and sent to addresses that an admin chose.

A sweep every minute sends what has settled since the last event that an address took, in order and at least once.
"""

from specloop.identity.workspaces.webhooks.delivery import DeliveryService
from specloop.identity.workspaces.webhooks.model import Webhook, WebhookStatus
from specloop.identity.workspaces.webhooks.service import WebhookService
from specloop.identity.workspaces.webhooks.tasks import webhook_tasks

__all__ = ["DeliveryService", "Webhook", "WebhookService", "WebhookStatus", "webhook_tasks"]
