"""The search as clients see it: `POST search/resume` (specstory.md §1.5, §9 item 10) and our `GET search`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import text

from specloop.db.database import Database
from specloop.record.assembly import assemble
from tests.identity.devices.specstory_cli import Linked, linked
from tests.identity.front.program import Program, running
from tests.record.search.library import session_data

RESUME = "/api/v1/search/resume"


@pytest.fixture
async def program(database: Database, tmp_path: Path) -> AsyncIterator[Program]:
    """A server with the record stage."""
    stage = assemble()
    async with running(database, tmp_path, routers=stage.routers) as started:
        started.app.state.services = {**started.app.state.services, **stage.services}
        yield started


@pytest.fixture
async def cli(program: Program) -> Linked:
    """Somebody's command line, signed in."""
    return await linked(program, await program.register("dev@test.com"))


async def put(cli: Linked, session_id: str, *exchanges: str, project: str = "demo", **changed: Any) -> None:
    """Upload as the command line does."""
    body = {
        "projectId": project,
        "projectName": f"{project} name",
        "name": session_id,
        "markdown": "\n".join(exchanges),
        "rawData": "-",
        "sessionData": session_data(exchanges, **changed).decode(),
        "metadata": {"agentName": "Claude Code"},
    }
    answer = await cli.send("PUT", f"/api/v1/projects/{project}/sessions/{session_id}", json=body)
    assert answer.status_code == 201, answer.text


async def resume(cli: Linked, **body: Any) -> list[dict[str, Any]]:
    """The results of a search while typing."""
    answer = await cli.send("POST", RESUME, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"] is True
    return answer.json()["data"]["results"]


def shown(answer: Response) -> list[str]:
    """The sessions of a page, in order."""
    assert answer.status_code == 200, answer.text
    return [hit["sessionId"] for hit in answer.json()["data"]["hits"]]


async def test_resume_lists_every_hit_newest_first_with_a_marked_snippet(cli: Linked) -> None:
    for index in range(30):
        await put(cli, f"s{index:02}", f"Where is the needle{index} in it?", at=f"2026-01-{index + 1:02}T10:00:00Z")
    results = await resume(cli, query="needle")
    assert [one["sessionId"] for one in results] == [f"s{index:02}" for index in reversed(range(30))]
    assert results[0]["snippet"] == "Where is the \u0002needle29\u0003 in it? ok"
    assert {one["projectName"] for one in results} == {"demo name"}
    assert {one["metadata"]["agentName"] for one in results} == {"Claude Code"}


async def test_resume_can_be_limited_to_a_project(cli: Linked) -> None:
    await put(cli, "a", "needle", project="one")
    await put(cli, "b", "needle", project="two")
    assert [one["sessionId"] for one in await resume(cli, query="needle", projectId="two")] == ["b"]
    assert await resume(cli, query="needle", projectId="none such") == []


async def test_resume_follows_the_rules_of_the_contract(cli: Linked) -> None:
    await put(cli, "s", "use the foo-barista widget", "other words entirely")
    for query in ("foo", "FOO wid", "foo-bar", '"foo barista"', '"use the foo', "the, WIDGET!", "us"):
        assert len(await resume(cli, query=query)) == 1, query
    for query in ("oo", "foo entirely", "foo-wid", '"foo bar"', '"use foo', "bar-foo"):
        assert await resume(cli, query=query) == [], query


async def test_resume_answers_queries_of_fewer_than_two_letters_with_nothing(cli: Linked) -> None:
    await put(cli, "s", "x marks the spot")
    for query in ("", "x", " x ", "-x-", "🎉🎉", "\x00"):
        assert await resume(cli, query=query) == []
    assert await resume(cli) == []


async def test_resume_refuses_a_project_that_no_store_can_look_up(cli: Linked) -> None:
    refused = await cli.send("POST", RESUME, json={"query": "needle", "projectId": "a\x00b"})
    assert refused.status_code == 400
    assert refused.json()["success"] is False


async def test_resume_shows_nothing_of_other_users(program: Program, cli: Linked) -> None:
    await put(cli, "s", "needle")
    other = await linked(program, await program.register("other@test.com"))
    assert await resume(other, query="needle") == []


async def test_resume_answers_an_internal_error_with_nothing(cli: Linked, database: Database) -> None:
    await put(cli, "s", "needle")
    async with database.writer_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE search_sessions RENAME TO lost"))
    assert await resume(cli, query="needle") == []


async def test_hostile_queries_are_only_words(cli: Linked) -> None:
    await put(cli, "s", "needle AND OR NOT NEAR")
    hostile = [
        "needle*",
        "needle AND",
        "needle OR NOT (NEAR",
        "NEAR(needle AND, 2)",
        '"needle" + not',
        "needle:*",
        "{needle} ^needle",
        "words:needle",
        "needle\x00and",
        "needle'; DROP TABLE projects;--",
        "needle & | ! <-> or",
        "needle agent:%la_de% file:'\\",
    ]
    for query in hostile:
        assert (await cli.send("POST", RESUME, json={"query": query})).status_code == 200
    assert len(await resume(cli, query="needle*")) == 1
    assert len(await resume(cli, query="(needle) AND or NEAR")) == 1
    assert await resume(cli, query="needle " + "x" * 100_000) == []
    assert await resume(cli, query="needle " + "ab " * 40_000) == []


async def test_search_pages_filters_and_counts(cli: Linked) -> None:
    for index in range(5):
        await put(cli, f"s{index}", "needle " * (index + 1), project="even" if index % 2 == 0 else "odd")
    page = await cli.send("GET", "/api/v1/search", params={"q": "needle", "limit": 2, "facets": "true"})
    data = page.json()["data"]
    assert data["total"] == 5
    assert len(data["hits"]) == 2
    assert data["hits"][0]["rank"] >= data["hits"][1]["rank"] > 0
    assert data["facets"]["project"] == [{"value": "even", "count": 3}, {"value": "odd", "count": 2}]
    assert data["hits"][0]["exchanges"][0]["orderNumber"] == 0
    even = await cli.send("GET", "/api/v1/search", params={"q": "needle project:even", "sort": "recent"})
    assert sorted(shown(even)) == ["s0", "s2", "s4"]
    odd = await cli.send("GET", "/api/v1/search", params=[("q", "needle"), ("project", "odd"), ("project", "no")])
    assert sorted(shown(odd)) == ["s1", "s3"]
    late = await cli.send("GET", "/api/v1/search", params={"q": "needle", "since": "2030-01-01"})
    assert shown(late) == []
    for name, value in (("since", "soon"), ("limit", "0"), ("mode", "magic")):
        answer = await cli.send("GET", "/api/v1/search", params={"q": "needle", name: value})
        assert answer.status_code == 400, name
        assert isinstance(answer.json()["error"], str)


async def test_search_needs_a_credential(program: Program) -> None:
    for answer in (await program.client.get("/api/v1/search?q=x"), await program.client.post(RESUME, json={})):
        assert answer.status_code == 401
        assert answer.json()["success"] is False
