"""The trace routes on both stores."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from tests.record.traces.harness import Server, serving


@pytest.fixture
async def server(database: Database, telemetry: TelemetryStore) -> AsyncIterator[Server]:
    """The trace routes on both stores."""
    async with serving(database, telemetry) as running:
        yield running
