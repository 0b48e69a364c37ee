"""A running program with the router of agents, whose spans stay in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.identity.audit import epoch_of
from specloop.identity.workspaces import HealthService
from specloop.identity.workspaces.rest import routers as workspace_routers
from specloop.run.agents import AgentHealth, AgentRunner, CardService, ConfigServer
from specloop.run.agents.rest import routers
from tests.identity.workspaces.harness import World, running_world


class ImproveSource:
    """What the improve stage would put on a card."""

    async def facts(self, ctx: Context, agent_id: str) -> dict[str, Any]:
        assert ctx.workspace_id
        assert agent_id
        return {"baseline": {"score": 0.66}, "open_clusters": [{"name": "missed calls"}]}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Every span that ended."""
    return InMemorySpanExporter()


@pytest.fixture
async def world(database: Database, spans: InMemorySpanExporter) -> AsyncIterator[World]:
    """The program."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    services: dict[type, Any] = {
        AgentRunner: AgentRunner(provider.get_tracer("test")),
        CardService: CardService([ImproveSource()]),
        ConfigServer: ConfigServer(epoch_of(database.writer_engine.sync_engine), database),
        HealthService: HealthService([AgentHealth()]),
    }
    async with running_world(database, [*routers, *workspace_routers], services) as running:
        yield running
    provider.shutdown()
