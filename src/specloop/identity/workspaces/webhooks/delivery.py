"""Send what has happened to the addresses that want it: in order, at least once, patient with slow receivers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.identity.audit import AuditEvent
from specloop.identity.audit.schema import render_event
from specloop.identity.workspaces.service import feed
from specloop.identity.workspaces.webhooks import repository
from specloop.identity.workspaces.webhooks.addresses import check_url, resolve
from specloop.identity.workspaces.webhooks.errors import AddressRefused
from specloop.identity.workspaces.webhooks.model import Webhook, WebhookStatus, secret_of, signature
from specloop.kit import json
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal
from specloop.kit.crypto import Pepper
from specloop.kit.log import get_logger

log = get_logger(__name__)
ANSWER_SECONDS_MAX = 10.0
WEBHOOK_SECONDS_MAX = 40.0
AT_ONCE = 8


class DeliveryFailed(Exception):
    """The receiver did not take the message."""


class DeliveryService:
    """Delivers for all workspaces; `allows_private` as for `WebhookService`."""

    def __init__(self, pepper: Pepper, *, allows_private: bool = False) -> None:
        self._pepper = pepper
        self._allows_private = allows_private

    async def sweep(self, database: Database, clock: Clock) -> int:
        """Send everything that has settled since last time; returns how many messages were taken."""
        nobody = system_principal("", None, frozenset())
        async with database.reading(ALL_WORKSPACES) as unit:
            waiting = await repository.all_active(Context(nobody, unit, clock))
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(webhook: Webhook) -> int:
            async with slots:
                return await self._serve(database, clock, webhook)

        return sum(await asyncio.gather(*(one(webhook) for webhook in waiting)))

    async def _serve(self, database: Database, clock: Clock, webhook: Webhook) -> int:
        principal = system_principal(webhook.account_id, webhook.workspace_id, frozenset())

        @asynccontextmanager
        async def writing() -> AsyncGenerator[Context]:
            async with database.writing(webhook.workspace_id) as unit:
                yield Context(principal, unit, clock)

        async with database.reading(webhook.workspace_id) as unit:
            events = await feed.settled_after(Context(principal, unit, clock), webhook.last_event_id)
        if not events:
            return 0
        taken, last_id, error = await self._send_all(webhook, events, clock)
        async with writing() as ctx:
            await repository.change(ctx, webhook.id, _outcome(webhook, last_id, taken, error, clock.now()))
        return taken

    async def _send_all(self, webhook: Webhook, events: list[AuditEvent], clock: Clock) -> tuple[int, str, str | None]:
        """How many messages were taken, the last event that is done with, and why it ended there, if it failed."""
        taken, last_id = 0, webhook.last_event_id
        deadline = clock.monotonic() + WEBHOOK_SECONDS_MAX
        for event in events:
            if webhook.wants(event.action):
                try:
                    await self.send(webhook, event, clock.now())
                except (DeliveryFailed, AddressRefused, OSError, httpx.HTTPError) as error:
                    log.info("webhook.refused", webhook_id=webhook.id, reason=type(error).__name__)
                    return taken, last_id, str(error)[:300] or type(error).__name__
                taken += 1
            last_id = event.id
            if clock.monotonic() > deadline:
                break
        return taken, last_id, None

    async def send(self, webhook: Webhook, event: AuditEvent, now: datetime) -> None:
        """Post one signed event; any 2xx answer means taken. Redirects are not followed, answers are not read.

        Raises: AddressRefused, DeliveryFailed, OSError, httpx.HTTPError.
        """
        body = json.dumps({"type": event.action, "timestamp": now, "data": render_event(event)})
        timestamp = int(now.timestamp())
        secret = secret_of(self._pepper, webhook.id, webhook.salt)
        request = await self._request(webhook.url)
        headers = {
            **request["headers"],
            "Content-Type": "application/json",
            "User-Agent": "specloop-webhooks",
            "webhook-id": event.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, event.id, timestamp, body),
        }
        async with (
            httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX, trust_env=False) as client,
            client.stream(
                "POST", request["url"], content=body, headers=headers, extensions=request["extensions"]
            ) as answer,
        ):
            if not answer.is_success:
                raise DeliveryFailed(f"the receiver answered {answer.status_code}")

    async def _request(self, url: str) -> dict[str, Any]:
        """The request's address with the checked IP in place of the name, which stays in Host and in TLS."""
        host = check_url(url, allows_private=self._allows_private)
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = await resolve(host, port, allows_private=self._allows_private)
        literal = f"[{address}]" if ":" in address else address
        return {
            "url": parts._replace(netloc=f"{literal}:{port}").geturl(),
            "headers": {"Host": parts.netloc},
            "extensions": {"sni_hostname": host},
        }


def _outcome(webhook: Webhook, last_id: str, taken: int, error: str | None, now: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"last_event_id": last_id, "last_error": error}
    if taken:
        values["last_sent_at"] = now
    if error is None:
        values["failing_since"] = None
    elif taken or webhook.failing_since is None:
        values["failing_since"] = now
    elif webhook.has_given_up(now):
        values["status"] = WebhookStatus.FAILING.value
    return values
