"""A folder for the engine, per test."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.telemetry import SharedTelemetry


@pytest.fixture
def dsn(tmp_path: Path, shared_telemetry: SharedTelemetry) -> str:
    """The address of a store that does not exist yet."""
    asyncio.run(shared_telemetry.close())
    return f"chdb://{tmp_path / 'telemetry'}"
