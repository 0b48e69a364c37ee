"""The queries that existing clients send (specstory.md §2.4), verbatim."""

from __future__ import annotations

from typing import Any

import pytest

from tests.record.graphql.world import Shelf

SDK = """
query SearchSessions($query: String!, $filters: SessionFilters, $limit: Int) {
  searchSessions(query: $query, filters: $filters, limit: $limit) {
    total
    results { id name projectId rank metadata { clientName tags } }
  }
}
"""
SKILL = """
query SearchSessions($query: String!, $filters: SessionFilters, $limit: Int) {
  searchSessions(query: $query, filters: $filters, limit: $limit) {
    total
    results {
      sessionId projectId name userTitle rank markdownContent createdAt updatedAt startedAt endedAt
      metadata { clientName clientVersion agentName deviceId gitBranches llmModels tags summary }
      matchingExchanges { content orderNumber }
      project { id name }
    }
  }
}
"""
SKILL_SESSION = """
query GetSession($projectId: String!, $sessionId: String!) {
  session(projectId: $projectId, sessionId: $sessionId) {
    id projectId name createdAt updatedAt markdownSize rawDataSize startedAt endedAt markdownContent
    metadata { clientName clientVersion agentName deviceId gitBranches llmModels tags }
  }
}
"""
MAC = """
query Search($query: String!) {
  searchSessions(query: $query) {
    results {
      id sessionId projectId name userTitle rank
      matchingExchanges { id content orderNumber }
      project { id name icon color }
    }
  }
}
"""


async def recorded(shelf: Shelf) -> None:
    """Two sessions about deploying."""
    await shelf.put("11111111-1111-4111-8111-111111111111", "fix the parser", "deploy to staging", tags=["ops"])
    await shelf.put("22222222-2222-4222-8222-222222222222", "deploy deploy deploy", project="f60e-cdb1-6e5e-8e82")


async def test_the_sdk_searches_without_filters(shelf: Shelf) -> None:
    await recorded(shelf)
    found = (await shelf.ask(SDK, {"query": "deploy", "limit": 200}))["searchSessions"]
    assert found["total"] == 2
    assert {row["projectId"] for row in found["results"]} == {"demo", "f60e-cdb1-6e5e-8e82"}
    assert {row["metadata"]["clientName"] for row in found["results"]} == {"specstory-cli"}


async def test_the_sdk_searches_with_filters(shelf: Shelf) -> None:
    await recorded(shelf)
    variables = {"query": "deploy", "limit": 200, "filters": {"projectId": "demo", "tags": ["ops"]}}
    found = (await shelf.ask(SDK, variables))["searchSessions"]
    assert [(row["name"], row["metadata"]["tags"]) for row in found["results"]] == [
        ("name of 11111111-1111-4111-8111-111111111111", ["ops"])
    ]


async def test_the_third_party_skill_reads_what_it_found(shelf: Shelf) -> None:
    await recorded(shelf)
    found = (await shelf.ask(SKILL, {"query": "staging"}))["searchSessions"]["results"]
    assert len(found) == 1
    row = found[0]
    assert row["sessionId"] == "11111111-1111-4111-8111-111111111111"
    assert row["markdownContent"] == "# A conversation"
    assert row["project"] == {"id": "demo", "name": "The demo"}
    assert [one["orderNumber"] for one in row["matchingExchanges"]] == [1]
    assert "deploy to staging" in row["matchingExchanges"][0]["content"]
    detail = (await shelf.ask(SKILL_SESSION, {"projectId": row["projectId"], "sessionId": row["sessionId"]}))["session"]
    assert detail["markdownContent"] == "# A conversation"
    assert detail["metadata"]["llmModels"] == ["claude-sonnet-4-5"]


async def test_the_third_party_skill_lists_projects(shelf: Shelf) -> None:
    await recorded(shelf)
    found = (await shelf.ask("{ projects { id name icon color sessionCount lastUpdated } }"))["projects"]
    assert {(one["id"], one["sessionCount"]) for one in found} == {("demo", 1), ("f60e-cdb1-6e5e-8e82", 1)}
    assert all(one["lastUpdated"].endswith("Z") for one in found)


async def test_the_mac_app_searches(shelf: Shelf) -> None:
    await recorded(shelf)
    found = (await shelf.ask(MAC, {"query": "deploy"}))["searchSessions"]["results"]
    assert len(found) == 2
    assert {row["project"]["id"] for row in found} == {"demo", "f60e-cdb1-6e5e-8e82"}
    assert all(row["matchingExchanges"] for row in found)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("{ projects { id name sessionCount } }", {"projects": []}),
        ('{ __type(name: "Session") { name } }', {"__type": {"name": "Session"}}),
        ("{ __schema { queryType { name } } }", {"__schema": {"queryType": {"name": "Query"}}}),
    ],
)
async def test_the_documents_examples_are_answered(shelf: Shelf, query: str, expected: dict[str, Any]) -> None:
    assert await shelf.ask(query) == expected


async def test_a_fragment_on_session_fits_every_form_of_it(shelf: Shelf) -> None:
    await recorded(shelf)
    query = """
    { sessions { sessions { ...S } } searchSessions(query: "deploy") { results { ...S } }
      session(sessionId: "11111111-1111-4111-8111-111111111111") { ...S } }
    fragment S on Session { id name createdAt metadata { llmModels } project { id } }
    """
    found = await shelf.ask(query)
    assert found["session"] in found["sessions"]["sessions"]
    assert found["session"] in found["searchSessions"]["results"]


async def test_a_session_that_nobody_knows_is_null(shelf: Shelf, other: Shelf) -> None:
    theirs = await other.put("33333333-3333-4333-8333-333333333333", "secret plans")
    for identifier in ("nothing", theirs.id, theirs.client_id):
        query = "query($p: String, $s: String) { session(projectId: $p, sessionId: $s) { id } }"
        assert await shelf.ask(query, {"p": "demo", "s": identifier}) == {"session": None}
        assert await shelf.ask(query, {"s": identifier}) == {"session": None}
