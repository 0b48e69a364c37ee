"""A field that fails takes nothing else along: not its siblings, not the connection, not the request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from graphql import GraphQLError
from structlog.testing import capture_logs

from specloop.app.graphql import answers, execution, reading, serving
from specloop.app.graphql.reading import EXCHANGE_BYTES, AnswerTooLarge, Reading, RequestOver, Services
from specloop.db.context import Context
from specloop.db.database import Database
from specloop.record.projects import ProjectService
from specloop.record.search import SearchService
from specloop.record.sessions import ProjectOverview, SessionBatches, SessionReader
from tests.record.graphql.world import Shelf, counted_statements

FAILING = {
    "a field of many": '{ projects { id stats { uniqueLLMModels } sessions(after: "bad") { total } } }',
    "a field beside a loader": (
        "{ projects { id stats { uniqueLLMModels } sessions { total sessions { id } } }"
        ' p2: projects { sessions(after: "bad") { total } } }'
    ),
    "a field beside others": """
      { a: session(sessionId: "s0") { relatedSessions { id } project { sessions(after: "bad") { total } } }
        b: session(sessionId: "s1") { name relatedSessions { id } project { name } }
        c: project(id: "p0") { stats { uniqueLLMModels } sessions { total } } }
    """,
}
LARGE = {
    "documents": '{ searchSessions(query: "parser") { results { markdownContent } } }',
    "documents beside exchanges": (
        '{ searchSessions(query: "parser") { results { markdownContent project { name } matchingExchanges { id } } } }'
    ),
}


@asynccontextmanager
async def reading_of(shelf: Shelf, **options: Any) -> AsyncGenerator[Reading]:
    """What a request reads from, without a request."""
    kinds = (SessionReader, ProjectOverview, SessionBatches, SearchService)
    services = Services(*(shelf.program.app.state.services[kind] for kind in kinds))
    async with shelf.program.database.reading(shelf.principal.workspace_id) as unit:
        yield Reading(Context(shelf.principal, unit, shelf.program.clock), services, **options)


async def begun(asked: Reading) -> None:
    """Return when a statement runs."""
    for _ in range(100):
        if asked.is_busy:
            return
        await asyncio.sleep(0)
    pytest.fail("nothing was asked")


async def record(shelf: Shelf) -> None:
    """Sessions in three projects."""
    for number in range(9):
        await shelf.put(f"s{number}", "the parser deadlock", project=f"p{number % 3}", tags=["ops"])


@pytest.mark.parametrize("name", FAILING)
async def test_a_field_that_fails_leaves_its_siblings_alone(shelf: Shelf, name: str) -> None:
    await record(shelf)
    for _ in range(4):
        answer = await shelf.send(FAILING[name])
        assert answer.status_code == 200
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"VALIDATION_ERROR"}
        assert {error["path"][-1] for error in answer.json()["errors"]} == {"sessions"}
    found = await shelf.ask("{ projects { id } stats { totalSessions } }")
    assert (len(found["projects"]), found["stats"]["totalSessions"]) == (3, 9)


@pytest.mark.parametrize("name", LARGE)
async def test_an_answer_that_is_too_large_is_refused_before_a_document_is_read(
    shelf: Shelf, database: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await record(shelf)
    monkeypatch.setattr(serving, "Reading", partial(Reading, text_bytes_max=100))
    for _ in range(4):
        async with counted_statements(database) as seen:
            answer = await shelf.send(LARGE[name])
        assert (answer.status_code, answer.json()["data"]) == (200, None)
        (error,) = answer.json()["errors"]
        assert error["extensions"] == {"code": "VALIDATION_ERROR", "limit": 100}
        assert "ask for fewer sessions" in error["message"]
        assert not any("FROM session_documents" in statement for statement in seen)


async def test_exchanges_that_are_too_large_are_not_all_read(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    await shelf.put("long", *(f"needle {number} " + "x" * 2_000 for number in range(6)))
    monkeypatch.setattr(reading, "EXCHANGES_AT_ONCE", 2)
    found = await shelf.ask('{ searchSessions(query: "needle") { results { matchingExchanges { id } } } }')
    ids = [one["id"] for one in found["searchSessions"]["results"][0]["matchingExchanges"]]
    async with reading_of(shelf, text_bytes_max=6 * (EXCHANGE_BYTES + 2_100)) as enough:
        assert [one.id for one in await enough.exchanges(ids)] == ids
    async with reading_of(shelf, text_bytes_max=6 * EXCHANGE_BYTES + 2_100) as scarce:
        async with counted_statements(shelf.program.database) as seen:
            with pytest.raises(AnswerTooLarge):
                await scarce.exchanges(ids)
        assert sum("FROM session_exchanges" in statement for statement in seen) == 1
    async with reading_of(shelf, text_bytes_max=5 * EXCHANGE_BYTES) as none:
        async with counted_statements(shelf.program.database) as seen:
            with pytest.raises(AnswerTooLarge):
                await none.exchanges(ids)
        assert not seen


async def test_who_is_cancelled_takes_nothing_away_from_others_that_wait_for_the_same(shelf: Shelf) -> None:
    stored = await shelf.put("a")
    async with reading_of(shelf) as asked, asked:
        for question in (asked.projects, partial(asked.markdown, stored)):
            gone, stays = asyncio.ensure_future(question()), asyncio.ensure_future(question())
            await begun(asked)
            gone.cancel()
            assert await stays
            assert gone.cancelled()


async def test_a_statement_that_nobody_waits_for_is_finished_before_the_next_and_before_the_end(shelf: Shelf) -> None:
    await shelf.put("a")
    async with reading_of(shelf) as asked:
        async with asked:
            gone = asyncio.ensure_future(asked.models())
            await begun(asked)
            gone.cancel()
            assert len(await asked.projects()) == 1
            late = asyncio.ensure_future(asked.models())
            await begun(asked)
            late.cancel()
        assert not asked.is_busy
        with pytest.raises(RequestOver):
            await asked.models()
        assert await asked.ctx.session.connection()


async def test_a_query_that_takes_too_long_is_given_up_with_what_it_asked(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up: list[str] = []

    class Stuck(SessionReader):
        async def count(self, *_: Any, **__: Any) -> int:
            try:
                return await asyncio.Future[int]()
            finally:
                given_up.append("count")

    await shelf.put("a")
    services = shelf.program.app.state.services
    monkeypatch.setitem(services, SessionReader, Stuck(ProjectService()))
    monkeypatch.setattr(execution, "SECONDS_MAX", 0.2)
    answer = await shelf.send("{ sessions { total } }")
    assert answer.status_code == 503
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert given_up == ["count"]
    assert await shelf.ask("{ projects { id } }") == {"projects": [{"id": "demo"}]}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query($b: Boolean = true) { projects @include(if: $b) { id } }", {"b": None}),
        ("query($b: Boolean = true) { projects { id @skip(if: $b) name } }", {"b": None}),
        ('query($id: ID = "demo") { project(id: $id) { id } }', {"id": None}),
        ('query($t: String = "x") { sessions(filters: {tags: [$t]}) { total } }', {"t": None}),
    ],
)
async def test_null_for_what_may_not_be_null_is_the_callers_error(
    shelf: Shelf, query: str, variables: dict[str, Any]
) -> None:
    await shelf.put("a")
    with capture_logs() as logged:
        answer = await shelf.send(query, variables)
    error = answer.json()["errors"][0]
    assert answer.status_code == 200
    assert error["extensions"] == {"code": "VALIDATION_ERROR"}
    assert f"${next(iter(variables))}" in error["message"]
    assert not [one for one in logged if one["event"] == "graphql.field_failed"]


async def test_what_cannot_be_put_into_an_answer_is_our_fault(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    class Boundless(SessionReader):
        async def count(self, *_: Any, **__: Any) -> int:
            return 2**40

    monkeypatch.setitem(shelf.program.app.state.services, SessionReader, Boundless(ProjectService()))
    error = (await shelf.send("{ sessions { total } }")).json()["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert error["extensions"]["incidentId"] in error["message"]
    assert answers.execution_error(GraphQLError("odd"))["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
