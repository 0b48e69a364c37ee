"""One chDB folder per test process, a database in it per test; the whole program on it and on each state engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest

from tests.record.keeping.house import House, Person, open_house

_NUMBERS = count()


@pytest.fixture(scope="session")
def telemetry_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engine of this process works."""
    return tmp_path_factory.mktemp("telemetry")


@pytest.fixture
async def house(state_url: str, telemetry_folder: Path, tmp_path: Path) -> AsyncIterator[House]:
    """The program, running."""
    dsn = f"chdb://{telemetry_folder}?database=keeping_{next(_NUMBERS)}"
    async with open_house(state_url, dsn, tmp_path) as opened:
        yield opened


@pytest.fixture
async def owner(house: House) -> Person:
    """Somebody with an account."""
    return await house.register()
