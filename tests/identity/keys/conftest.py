"""A running program with the router of keys, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from specloop.db.database import Database
from specloop.identity.keys.rest import router
from specloop.identity.workspaces.rest import routers
from specloop.testing.clock import FakeClock
from tests.identity.workspaces.harness import World, running_world


@pytest.fixture
def clock() -> FakeClock:
    """The program's clock."""
    return FakeClock()


@pytest.fixture
async def world(database: Database, clock: FakeClock) -> AsyncIterator[World]:
    """The program."""
    async with running_world(database, [router, *routers], clock=clock) as running:
        yield running
