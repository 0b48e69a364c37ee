"""However many rows an answer has, it takes the same number of questions to the store."""

from __future__ import annotations

import pytest

from specloop.db.database import Database
from tests.record.graphql.world import Shelf, counted_statements

QUERIES = {
    "projects with their sessions": """
        { projects { id sessionCount stats { uniqueLLMModels topTags { tag } sessionsByDay { date } }
          sessions(limit: 3) { total hasNextPage sessions { id name metadata { tags } project { id name } } } } }
    """,
    "sessions with their projects": """
        { sessions(limit: 50) { total edges { node { id project { id sessionCount stats { totalSessions
          uniqueGitBranches } } metadata { llmModels } } } } }
    """,
    "a search with everything": """
        { searchSessions(query: "needle", limit: 50) { total results { id rank snippet markdownContent
          matchingExchanges { content orderNumber } project { id sessionCount } } } }
    """,
}


@pytest.mark.parametrize("name", QUERIES)
async def test_nested_queries_take_a_constant_number_of_statements(shelf: Shelf, database: Database, name: str) -> None:
    counts: list[int] = []
    recorded = 0
    for wanted in (2, 12):
        for number in range(recorded, wanted):
            await shelf.put(f"s{number}", "a needle", "another needle", project=f"p{number % 5}", tags=["t"])
        recorded = wanted
        await shelf.ask("{ __typename }")  # the caller is known now
        async with counted_statements(database) as seen:
            await shelf.ask(QUERIES[name])
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert 0 < counts[1] <= 12
