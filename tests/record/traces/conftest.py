"""One chDB folder per test process (the engine allows no more), a database in it per test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from tests.record.traces.harness import Server, serving

_NUMBERS = count()


@pytest.fixture(scope="session")
def telemetry_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine of this process works."""
    return tmp_path_factory.mktemp("telemetry")


@pytest.fixture
def telemetry_dsn(telemetry_folder: Path) -> str:
    """A fresh telemetry database."""
    return f"chdb://{telemetry_folder}?database=test_{next(_NUMBERS)}"


@pytest.fixture
async def telemetry(telemetry_dsn: str) -> AsyncIterator[TelemetryStore]:
    """The fresh store, opened."""
    store = await TelemetryStore.open(telemetry_dsn)
    yield store
    await store.close()


@pytest.fixture
async def server(database: Database, telemetry: TelemetryStore) -> AsyncIterator[Server]:
    """The trace routes on both stores."""
    async with serving(database, telemetry) as running:
        yield running
