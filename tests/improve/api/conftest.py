"""A running program with the routers of the run and improve stages, and workers that carry out their jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from specloop.db.database import Database
from tests.improve.api.loop import Loop, running_loop


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """Where the spans of scanned runs end up."""
    return InMemorySpanExporter()


@pytest.fixture
async def world(database: Database, tmp_path: Path, spans: InMemorySpanExporter) -> AsyncIterator[Loop]:
    """The program."""
    async with running_loop(database, tmp_path, spans) as running:
        yield running
