"""Every filter acts, in lists and in searches alike (specstory.md §2.2, §2.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.record.graphql.world import PATH, Shelf

NOW = "2026-01-01T00:00:00Z"
"""What the program's clock says."""
CASES: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({}, {"new", "old", "plain"}),
    ({"projectId": "alpha"}, {"new"}),
    ({"projectIds": ["alpha", "beta"]}, {"new", "old"}),
    ({"projectId": "alpha", "projectIds": ["beta"]}, set()),
    ({"projectId": "nobody's"}, set()),
    ({"agentName": "Codex CLI"}, {"old"}),
    ({"agentNames": ["Codex CLI", "Claude Code"]}, {"new", "old", "plain"}),
    ({"clientName": "editor"}, {"old"}),
    ({"clientNames": ["editor", "specstory-cli"]}, {"new", "old", "plain"}),
    ({"deviceId": "laptop-1"}, {"new"}),
    ({"deviceIds": ["laptop-1", "desk"]}, {"new", "old"}),
    ({"gitBranches": ["main"]}, {"new", "old"}),
    ({"gitBranches": ["fix/1"]}, {"new"}),
    ({"gitBranches": ["mai"]}, set()),
    ({"llmModels": ["gpt-5"]}, {"old"}),
    ({"tags": ["ops", "nothing"]}, {"new"}),
    ({"hasGitBranches": True}, {"new", "old"}),
    ({"hasGitBranches": False}, {"plain"}),
    ({"startDate": "2025-12-20"}, {"new", "plain"}),
    ({"endDate": "2025-12-20"}, {"old"}),
    ({"startDate": "2025-12-24T09:00:00+01:00", "endDate": "2025-12-24"}, {"new"}),
    ({"dateRange": {"start": "2025-10-01", "end": "2025-10-31"}}, {"old"}),
    ({"dateRange": {"start": "2025-11-01"}}, {"new", "plain"}),
    ({"startDate": "20251224", "endDate": "20251224"}, {"new"}),
    ({"startDate": "2025-12-24", "endDate": "2025-W52-3"}, {"new"}),
    ({"startDate": "2025-10", "endDate": "2025-10"}, {"old"}),
    ({"endDate": "2025-12"}, {"new", "old", "plain"}),
    ({"endDate": "2025-12-24T00"}, {"old"}),
    ({"startDate": " ", "dateRange": {"start": "", "end": "\t"}}, {"new", "old", "plain"}),
    ({"projectIds": [], "agentNames": [], "tags": []}, {"new", "old", "plain"}),
    ({"projectId": "", "projectIds": ["alpha"], "agentName": "", "agentNames": ["Claude Code"]}, {"new"}),
    ({"projectId": "alpha", "projectIds": []}, {"new"}),
    ({"timeFilter": "last30days"}, {"new", "plain"}),
    ({"timeFilter": "last5days"}, {"plain"}),
    ({"timeFilter": "whenever"}, {"new", "old", "plain"}),
    ({"createdAfter": 1}, {"new", "old", "plain"}),
    ({"searchText": "alembic"}, {"old"}),
    ({"agentName": "Claude Code", "gitBranches": ["main"], "tags": ["ops"]}, {"new"}),
    ({"agentName": "Codex CLI", "tags": ["ops"]}, set()),
    ({"projectId": None, "tags": None, "dateRange": None}, {"new", "old", "plain"}),
)


async def record(shelf: Shelf) -> None:
    """Three sessions that differ in everything."""
    await shelf.put(
        "new", "common words", project="alpha", at="2025-12-24T10:00:00Z",
        deviceId="laptop-1", gitBranches=["main", "fix/1"], tags=["ops"],
    )  # fmt: skip
    await shelf.put(
        "old", "common alembic", project="beta", at="2025-10-05T10:00:00Z", model="gpt-5",
        agentName="Codex CLI", clientName="editor", deviceId="desk", gitBranches=["main"],
    )  # fmt: skip
    await shelf.put("plain", "common nothing", project="gamma", at="2025-12-30T10:00:00Z")


async def test_every_filter_acts_on_lists(shelf: Shelf) -> None:
    await record(shelf)
    for filters, expected in CASES:
        assert set(await shelf.names(filters)) == expected, filters


async def test_every_filter_acts_on_searches(shelf: Shelf) -> None:
    await record(shelf)
    for filters, expected in CASES:
        assert set(await shelf.names(filters, "common")) == expected, filters


async def test_an_empty_query_finds_nothing(shelf: Shelf) -> None:
    await record(shelf)
    assert await shelf.names({}, "") == []
    assert await shelf.names({"agentName": "Claude Code"}, "  ") == []


@pytest.mark.parametrize("text", ["!!!", "*", "?", '"', '"" -', "—"])
async def test_a_text_without_words_finds_nothing_whatever_the_filters(shelf: Shelf, text: str) -> None:
    await record(shelf)
    everybody = {"agentNames": ["Claude Code", "Codex CLI"]}
    assert await shelf.names(everybody, text) == []
    assert await shelf.names({**everybody, "searchText": text}) == []
    assert await shelf.names({**everybody, "searchText": text}, "common") == []
    assert await shelf.names({**everybody, "searchText": "common"}, text) == []


async def test_a_query_of_filters_alone_lists_what_they_leave(shelf: Shelf) -> None:
    await record(shelf)
    assert await shelf.names({}, "tag:ops") == ["new"]
    assert await shelf.names({"searchText": "branch:main"}) == ["new", "old"]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ('"the parser dead', "migrations", ["both"]),
        ("migrations", '"the parser', ["both"]),
        ('"the parser deadlock', '"in migrations', ["both"]),
        ('"the parser"', '"in migrations"', ["both"]),
        ('"parser the', "migrations", []),
    ],
)
async def test_a_quotation_left_open_does_not_swallow_the_other_text(
    shelf: Shelf, query: str, text: str, expected: list[str]
) -> None:
    await shelf.put("both", "the parser deadlock in migrations")
    await shelf.put("one", "the parser deadlock")
    await shelf.put("other", "in migrations")
    assert await shelf.names({"searchText": text}, query) == expected


@pytest.mark.parametrize(
    "filters",
    [
        {"startDate": "yesterday"},
        {"endDate": "2026-13-01"},
        {"endDate": "2026-13"},
        {"startDate": "0000-01"},
        {"startDate": "2026"},
        {"dateRange": {"start": "0001-01-01T00:00:00+14:00"}},
        {"createdAfter": -1},
        {"tags": ["x"] * 501},
    ],
)
async def test_a_filter_that_makes_no_sense_is_a_validation_error(shelf: Shelf, filters: dict[str, Any]) -> None:
    answer = await shelf.send("query($f: SessionFilters) { sessions(filters: $f) { total } }", {"f": filters})
    assert answer.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_hostile_texts_are_searched_for_and_found_nowhere(shelf: Shelf) -> None:
    await record(shelf)
    for text in (
        '"',
        "%",
        "_",
        "*",
        "a' OR 1=1 --",
        'NEAR("x")',
        "common\u0000words",
        "col:*",
        "-",
        "\u202e",
    ):
        await shelf.names({"searchText": text})
        await shelf.names({"gitBranches": [text], "projectId": text}, text)
        query = "query($t: String, $id: ID!) { session(projectId: $t, sessionId: $t) { id } project(id: $id) { id } }"
        assert await shelf.ask(query, {"t": text, "id": text}) == {"session": None, "project": None}


async def test_half_a_character_is_refused(shelf: Shelf) -> None:
    body = b'{"query": "{ searchSessions(query: \\"\\ud83d\\") { total } }"}'
    headers = {"Authorization": f"Bearer {shelf.visitor.token}", "Content-Type": "application/json"}
    answer = await shelf.visitor.client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
    body = b'{"query": "{ searchSessions(query: \\"\\\\ud83d\\") { total } }"}'
    answer = await shelf.visitor.client.post(PATH, content=body, headers=headers)
    assert (answer.status_code, answer.json()["success"]) == (400, False)
