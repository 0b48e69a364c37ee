"""Units of work on both engines: many writers, one at a time; rollback; callbacks after the commit."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from sqlalchemy import QueuePool, text

from specloop.db.database import Database
from specloop.db.errors import DatabaseBusy, DatabaseUnreachable
from specloop.db.uow import ALL_WORKSPACES
from tests.engines import PostgresServer, running_postgres


async def test_concurrent_writers_all_finish_in_turn(database: Database) -> None:
    async with database.writing() as unit:
        await unit.session.execute(text("CREATE TABLE counted (n INTEGER)"))

    async def add() -> None:
        async with database.writing() as unit:
            await unit.session.execute(text("INSERT INTO counted VALUES (1)"))

    await asyncio.gather(*(add() for _ in range(60)))
    async with database.reading() as unit:
        assert (await unit.session.execute(text("SELECT count(*) FROM counted"))).scalar_one() == 60


async def test_an_exception_undoes_the_unit_and_forgets_its_callbacks(database: Database) -> None:
    called: list[str] = []

    async def callback() -> None:
        called.append("after")

    async with database.writing() as unit:
        await unit.session.execute(text("CREATE TABLE kept (n INTEGER)"))
        unit.after_commit(callback)
    with pytest.raises(RuntimeError, match="stop"):
        async with database.writing() as unit:
            await unit.session.execute(text("INSERT INTO kept VALUES (1)"))
            unit.after_commit(callback)
            raise RuntimeError("stop")
    async with database.reading() as unit:
        assert (await unit.session.execute(text("SELECT count(*) FROM kept"))).scalar_one() == 0
    assert called == ["after"]


@pytest.mark.parametrize("url", ["mysql://x", "not an address", "postgresql://u@127.0.0.1:1/x"])
async def test_a_store_that_cannot_be_reached_says_so(url: str) -> None:
    with pytest.raises(DatabaseUnreachable):
        await Database.open(url)


async def test_a_server_that_went_away_is_a_reason_to_come_back_later() -> None:
    with running_postgres() as server:
        database = await Database.open(server.url(server.create_database()))
        async with database.writing() as unit:
            await unit.session.execute(text("CREATE TABLE kept (n INTEGER)"))
    for opened in (database.writing, database.reading, database.writing):
        with pytest.raises(DatabaseBusy) as caught:
            async with opened() as unit:
                await unit.session.execute(text("SELECT count(*) FROM kept"))
        assert caught.value.members["retry_after"] > 0
    await database.close()


async def test_a_connection_that_is_cut_is_a_reason_to_come_back_later(postgres_server: PostgresServer) -> None:
    database = await Database.open(postgres_server.url(postgres_server.create_database()))
    with pytest.raises(DatabaseBusy):
        async with database.writing() as unit:
            await unit.session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    async with database.writing() as unit:
        assert (await unit.session.execute(text("SELECT 1"))).scalar_one() == 1
    await database.close()


async def test_a_unit_that_is_not_used_takes_no_connection(postgres_server: PostgresServer) -> None:
    database = await Database.open(postgres_server.url(postgres_server.create_database()))
    async with database.reading("w") as unit, database.writing(ALL_WORKSPACES) as other:
        assert cast("QueuePool", database.reader_engine.pool).checkedout() == 0
        seen = text("SELECT current_setting('app.workspace_id', true)")
        assert (await unit.session.execute(seen)).scalar_one() == "w"
        assert (await other.session.execute(seen)).scalar_one() == ALL_WORKSPACES
        await other.session.commit()
        assert (await other.session.execute(seen)).scalar_one() == ALL_WORKSPACES
    await database.close()


async def test_a_task_that_writes_without_pause_does_not_starve_another(database: Database) -> None:
    async with database.writing() as unit:
        await unit.session.execute(text("CREATE TABLE waited (n INTEGER)"))
    is_done = False

    async def write_once() -> None:
        nonlocal is_done
        async with database.writing() as unit:
            await unit.session.execute(text("INSERT INTO waited VALUES (1)"))
        is_done = True

    other = asyncio.create_task(write_once())
    for _ in range(200):
        async with database.writing() as unit:
            await unit.session.execute(text("SELECT count(*) FROM waited"))
        if is_done:
            break
    assert is_done
    await other
