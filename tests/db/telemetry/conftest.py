"""A folder for the engine, per test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def dsn(tmp_path: Path) -> str:
    """The address of a store that does not exist yet."""
    return f"chdb://{tmp_path / 'telemetry'}"
