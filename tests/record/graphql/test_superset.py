"""What the documents promise beyond the real service (specstory.md §2.3)."""

from __future__ import annotations

import pytest

from specloop.app.graphql.reading import AnswerTooLarge, Reading, Services
from specloop.db.context import Context
from specloop.record.search import SearchService
from specloop.record.sessions import ProjectOverview, SessionBatches, SessionReader
from tests.record.graphql.world import Shelf


async def record(shelf: Shelf) -> None:
    """Three sessions in two projects."""
    await shelf.put(
        "a", at="2025-12-30T10:00:00Z", project="one", tags=["ops", "db"], gitBranches=["main"], markdown="1234"
    )
    await shelf.put("b", at="2025-12-30T23:00:00Z", project="one", tags=["ops"], gitBranches=["main"], model="gpt-5")
    await shelf.put(
        "c", at="2025-12-31T00:00:00Z", project="two", gitBranches=["other"], clientName="editor", markdown="12"
    )


async def test_a_project_tells_its_figures(shelf: Shelf) -> None:
    await record(shelf)
    query = """
    query($id: ID!) {
      project(id: $id) {
        id createdAt updatedAt lastActivity
        stats {
          totalSessions totalMarkdownSize totalRawDataSize uniqueLLMModels uniqueGitBranches
          sessionsByDay(days: 7) { date count } topTags(limit: 1) { tag count }
        }
      }
    }
    """
    found = (await shelf.ask(query, {"id": "one"}))["project"]
    assert found["lastActivity"] >= found["createdAt"]
    assert found["stats"] == {
        "totalSessions": 2,
        "totalMarkdownSize": 4 + len("# A conversation"),
        "totalRawDataSize": 2 * len("raw"),
        "uniqueLLMModels": ["claude-sonnet-4-5", "gpt-5"],
        "uniqueGitBranches": ["main"],
        "sessionsByDay": [{"date": "2025-12-30", "count": 2}],
        "topTags": [{"tag": "ops", "count": 2}],
    }
    assert (await shelf.ask(query, {"id": "none"}))["project"] is None


async def test_days_outside_the_window_are_left_out(shelf: Shelf) -> None:
    await record(shelf)
    query = "{ projects { id stats { sessionsByDay(days: 1) { date } } } }"
    found = {one["id"]: one["stats"]["sessionsByDay"] for one in (await shelf.ask(query))["projects"]}
    assert found == {"one": [], "two": []}


async def test_a_project_lists_its_own_sessions_newest_first(shelf: Shelf) -> None:
    for name in ("a", "b", "c"):
        await shelf.put(name, project="one")
        shelf.program.clock.advance(1)
    await shelf.put("d", project="two")
    query = """
    query($after: String) {
      projects { id sessions(first: 2, after: $after) { total hasNextPage pageInfo { endCursor } sessions { name } } }
    }
    """
    first = {one["id"]: one["sessions"] for one in (await shelf.ask(query))["projects"]}
    assert [one["name"] for one in first["one"]["sessions"]] == ["name of c", "name of b"]
    assert (first["one"]["total"], first["one"]["hasNextPage"]) == (3, True)
    assert (first["two"]["total"], first["two"]["hasNextPage"]) == (1, False)
    after = first["one"]["pageInfo"]["endCursor"]
    second = {one["id"]: one["sessions"] for one in (await shelf.ask(query, {"after": after}))["projects"]}
    assert [one["name"] for one in second["one"]["sessions"]] == ["name of a"]
    assert second["two"]["sessions"] == []


async def test_analytics_count_what_began_in_the_range(shelf: Shelf) -> None:
    await record(shelf)
    query = """
    query($range: TimeRange!) {
      analytics(timeRange: $range) {
        totalSessions totalProjects sessionsByModel { model count totalSize }
        sessionsByClient { client count averageSize } activityByDay { date sessions projects }
      }
    }
    """
    whole = (await shelf.ask(query, {"range": {"start": "2025-12-01", "end": "2025-12-31"}}))["analytics"]
    assert (whole["totalSessions"], whole["totalProjects"]) == (3, 2)
    assert whole["sessionsByModel"] == [
        {"model": "claude-sonnet-4-5", "count": 2, "totalSize": 6},
        {"model": "gpt-5", "count": 1, "totalSize": 16},
    ]
    assert whole["sessionsByClient"] == [
        {"client": "specstory-cli", "count": 2, "averageSize": 10},
        {"client": "editor", "count": 1, "averageSize": 2},
    ]
    assert whole["activityByDay"] == [
        {"date": "2025-12-30", "sessions": 2, "projects": 1},
        {"date": "2025-12-31", "sessions": 1, "projects": 1},
    ]
    one_day = (await shelf.ask(query, {"range": {"start": "2025-12-31", "end": "2025-12-31"}}))["analytics"]
    assert one_day["totalSessions"] == 1
    backwards = await shelf.send(query, {"range": {"start": "2026-01-01", "end": "2025-01-01"}})
    assert backwards.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_stats_count_everything(shelf: Shelf) -> None:
    await record(shelf)
    shelf.program.clock.advance(8 * 86_400)
    later = Shelf(shelf.program, await shelf.program.visitor(shelf.visitor.email), shelf.uploads)
    found = await later.ask(
        "{ stats { totalSessions totalProjects sessionsThisWeek topLLMModels(limit: 1) { model count } } }"
    )
    assert found["stats"] == {
        "totalSessions": 3,
        "totalProjects": 2,
        "sessionsThisWeek": 0,
        "topLLMModels": [{"model": "claude-sonnet-4-5", "count": 2}],
    }


async def test_related_sessions_share_files_branches_or_tags(shelf: Shelf) -> None:
    await record(shelf)
    query = """
    query($id: ID!) {
      session(id: $id) {
        relatedSessions(limit: 3) { id name similarity createdAt project { name } metadata { tags } }
      }
    }
    """
    found = (await shelf.ask(query, {"id": "a"}))["session"]["relatedSessions"]
    assert [(one["name"], one["project"]["name"]) for one in found] == [("name of b", "The one")]
    assert found[0]["similarity"] == 2 / 3
    assert (await shelf.ask(query, {"id": "c"}))["session"]["relatedSessions"] == []


async def test_a_session_is_found_by_either_id_with_or_without_its_project(shelf: Shelf) -> None:
    stored = await shelf.put("native-id", project="one")
    query = "query($p: String, $s: String, $id: ID) { session(projectId: $p, sessionId: $s, id: $id) { id projectId } }"
    expected = {"session": {"id": stored.id, "projectId": "one"}}
    for variables in (
        {"p": "one", "s": "native-id"},
        {"p": "one", "s": stored.id},
        {"p": stored.project.id, "s": "native-id"},
        {"s": "native-id"},
        {"id": stored.id},
        {"id": "native-id"},
    ):
        assert await shelf.ask(query, variables) == expected
    assert await shelf.ask(query, {"p": "two", "s": "native-id"}) == {"session": None}
    nameless = await shelf.send(query, {"p": "one"})
    assert nameless.json()["errors"][0]["extensions"]["code"] == "VALIDATION_ERROR"


async def test_snippets_mark_what_matched(shelf: Shelf) -> None:
    await shelf.put("a", "some words before the needle and some after")
    found = (await shelf.ask('{ searchSessions(query: "needle") { results { snippet } } }'))["searchSessions"]
    assert "\x02needle\x03" in found["results"][0]["snippet"]


async def test_more_text_than_one_answer_may_hold_is_refused(shelf: Shelf) -> None:
    stored = await shelf.put("a", "needle", markdown="x" * 60)
    kinds = (SessionReader, ProjectOverview, SessionBatches, SearchService)
    services = Services(*(shelf.program.app.state.services[kind] for kind in kinds))
    async with shelf.program.database.reading(shelf.principal.workspace_id) as unit:
        ctx = Context(shelf.principal, unit, shelf.program.clock)
        reading = Reading(ctx, services, text_bytes_max=100)
        assert await reading.markdown(stored) == "x" * 60
        with pytest.raises(AnswerTooLarge):
            await reading.markdown(stored)
