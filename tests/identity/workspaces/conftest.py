"""A running program with the routers of workspaces and keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.identity.keys.rest import router as keys_router
from specloop.identity.workspaces import HealthService, Issue, Section
from specloop.identity.workspaces.rest import routers, webhooks_router
from specloop.identity.workspaces.webhooks import WebhookService
from specloop.kit.crypto import Pepper
from tests.identity.workspaces.harness import World, running_world


class IngestProbe:
    """What the record stage would report."""

    section = "ingest"

    async def report(self, ctx: Context) -> Section:
        figures = {"last_span_at": None, "spans_24h": 7, "lag_ms": 12.5, "rejected_24h": 2}
        assert ctx.workspace_id
        return Section(figures, (Issue("spans-rejected", "warning", "2 spans were rejected", 10),))


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """The program."""
    services: dict[type, object] = {
        HealthService: HealthService([IngestProbe()]),
        WebhookService: WebhookService(Pepper(b"pepper"), allows_private=True),
    }
    async with running_world(database, [*routers, keys_router, webhooks_router], services) as running:
        yield running
