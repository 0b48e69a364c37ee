"""The write-ahead log is emptied although somebody reads at the moment; whoever reads for ever is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from specloop.db import tidying
from specloop.db.database import Database

PATIENCE_SECONDS = 0.3


@pytest.fixture
def engine_name() -> str:
    """Only SQLite has such a file."""
    return "sqlite"


def log_of(database: Database) -> Path:
    """The file beside the database."""
    return Path(f"{database.url.database}-wal")


async def write(database: Database) -> None:
    """Something that stands in the log."""
    async with database.writing() as unit:
        await unit.session.execute(text("CREATE TABLE IF NOT EXISTS notes (body TEXT)"))
        await unit.session.execute(text("INSERT INTO notes VALUES ('a word')"))


@asynccontextmanager
async def somebody_reading(database: Database) -> AsyncGenerator[None]:
    """Within it the log holds what a reader has not seen yet."""
    await write(database)
    async with database.reading() as unit:
        await unit.session.execute(text("SELECT count(*) FROM notes"))
        await write(database)
        yield


async def test_the_log_is_emptied_as_soon_as_a_reader_is_done(database: Database) -> None:
    async with somebody_reading(database):
        emptying = asyncio.create_task(tidying.empty_log(database, wait_seconds_max=0.01, pause_seconds=0.1))
        done, _ = await asyncio.wait({emptying}, timeout=PATIENCE_SECONDS)
        assert not done, "it gave up while somebody was reading"
    assert await emptying
    assert log_of(database).stat().st_size == 0


async def test_others_write_while_it_waits_for_a_reader_that_never_ends(database: Database) -> None:
    async with somebody_reading(database):
        emptying = asyncio.create_task(tidying.empty_log(database, wait_seconds_max=0.01, pause_seconds=0.02))
        await write(database)
        assert not await emptying
    assert log_of(database).stat().st_size > 0
    assert await tidying.empty_log(database)
    assert log_of(database).stat().st_size == 0
