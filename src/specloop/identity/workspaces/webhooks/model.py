"""What a webhook is, which events it wants, and how a message to it is signed. Pure.

Messages follow the Standard Webhooks specification 1.0: `webhook-id`, `webhook-timestamp` and `webhook-signature`.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from specloop.kit.crypto import Pepper

SECRET_PREFIX = "whsec_"  # noqa: S105  (a prefix, not a secret)
GIVES_UP_AFTER = timedelta(days=3)


class WebhookStatus(StrEnum):
    """An address that takes nothing for three days is `failing` and left alone."""

    ACTIVE = "active"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Webhook:
    """One address. `last_event_id` is the last event that it took or did not want."""

    id: str
    account_id: str
    workspace_id: str
    url: str
    events: tuple[str, ...]
    salt: str
    status: WebhookStatus
    last_event_id: str
    last_sent_at: datetime | None
    failing_since: datetime | None
    last_error: str | None
    created_at: datetime
    created_by: str | None

    def wants(self, action: str) -> bool:
        """Whether an event is one of the wanted ones: named, by `noun.*`, or by `*`."""
        return is_wanted(self.events, action)

    def has_given_up(self, now: datetime) -> bool:
        """Whether it has failed for so long that nothing more is sent."""
        return self.failing_since is not None and now - self.failing_since >= GIVES_UP_AFTER


def is_wanted(patterns: Sequence[str], action: str) -> bool:
    """Whether one of `patterns` covers `action`."""
    return any(
        pattern in ("*", action) or (pattern.endswith(".*") and action.startswith(pattern[:-1])) for pattern in patterns
    )


def secret_of(pepper: Pepper, webhook_id: str, salt: str) -> str:
    """The signing secret, derived so that no table holds it."""
    key = bytes.fromhex(pepper.digest(f"webhook:{webhook_id}:{salt}"))
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: HMAC-SHA-256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = b"%s.%d.%s" % (message_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
