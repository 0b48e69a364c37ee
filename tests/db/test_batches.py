"""Writes that are handed over together do what they would do one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from specloop.db.batches import Write, execute_all
from specloop.db.database import Database
from specloop.kit.ids import new_id
from specloop.record.search.tables import SearchedSessionRow

WORKSPACE, ACCOUNT = new_id(), new_id()
ADD: Final = insert(SearchedSessionRow)
REMOVE: Final = delete(SearchedSessionRow).where(SearchedSessionRow.number == bindparam("gone"))
NUMBERS: Final = select(SearchedSessionRow.number).order_by(SearchedSessionRow.number)


def row(number: int, **changed: Any) -> dict[str, Any]:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    tenant = {"account_id": ACCOUNT, "workspace_id": WORKSPACE, "owner_id": ACCOUNT}
    return {**tenant, "number": number, "session_id": new_id(), "active_at": moment, "rules": "1", **changed}


async def numbers(database: Database) -> list[int]:
    async with database.reading(WORKSPACE) as unit:
        return list((await unit.session.scalars(NUMBERS)).all())


async def test_writes_run_in_order_and_values_come_back_as_they_were(database: Database) -> None:
    first = row(1)
    async with database.writing(WORKSPACE) as unit:
        writes: list[Write] = [
            (ADD, [first, row(2), row(3)]),
            (REMOVE, [{"gone": 2}, {"gone": 3}]),
            (ADD, [row(2)]),
            (REMOVE, []),
        ]
        await execute_all(unit.session, writes)
    async with database.reading(WORKSPACE) as unit:
        stored = (await unit.session.scalars(select(SearchedSessionRow).order_by(SearchedSessionRow.number))).all()
    assert [one.number for one in stored] == [1, 2]
    assert {name: getattr(stored[0], name) for name in first} == first


async def test_a_batch_that_breaks_a_rule_raises_what_the_session_would_and_leaves_nothing(database: Database) -> None:
    twice = row(1)
    with pytest.raises(IntegrityError):
        async with database.writing(WORKSPACE) as unit:
            await execute_all(unit.session, [(ADD, [twice]), (ADD, [row(2, session_id=twice["session_id"])])])
    assert await numbers(database) == []


async def test_a_batch_belongs_to_the_transaction_of_its_unit(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.writing(WORKSPACE) as unit:
            await execute_all(unit.session, [(ADD, [row(1)])])
            assert list((await unit.session.scalars(NUMBERS)).all()) == [1]
            raise RuntimeError
    assert await numbers(database) == []
