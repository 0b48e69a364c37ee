"""The program with the record stage's small routes on each state engine, and an owner who is signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from specloop.db.database import Database
from specloop.record.skills import rest as skills_rest
from tests.identity.front.program import Program, Visitor, running


@pytest.fixture
async def program(database: Database, tmp_path: Path) -> AsyncIterator[Program]:
    """A server with open registration."""
    async with running(database, tmp_path, routers=skills_rest.routers) as started:
        yield started


@pytest.fixture
async def owner(program: Program) -> Visitor:
    """The owner of an account."""
    return await program.register("dev@test.com")
