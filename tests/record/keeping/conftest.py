"""The whole program on each state engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.record.keeping.house import House, Person, open_house


@pytest.fixture
async def house(state_url: str, telemetry_dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    """The program, running."""
    async with open_house(state_url, telemetry_dsn, tmp_path) as opened:
        yield opened


@pytest.fixture
async def owner(house: House) -> Person:
    """Somebody with an account."""
    return await house.register()
