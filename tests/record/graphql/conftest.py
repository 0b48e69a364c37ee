"""The graph on each state engine, and two people who record."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from specloop.db.database import Database
from tests.identity.front.program import Program
from tests.record.graphql.world import Shelf, running_graph, shelf_of


@pytest.fixture
async def program(database: Database, tmp_path: Path) -> AsyncIterator[Program]:
    """A server of the graph."""
    async with running_graph(database, tmp_path) as started:
        yield started


@pytest.fixture
async def shelf(program: Program) -> Shelf:
    """Somebody's recordings."""
    return await shelf_of(program, "dev@test.com")


@pytest.fixture
async def other(program: Program) -> Shelf:
    """Somebody else's, in another account."""
    return await shelf_of(program, "other@test.com")
