"""Search by meaning: vectors come after the upload by a job, and make natural questions find their sessions."""

from __future__ import annotations

import warnings

from specloop.record.search import SearchMode, SearchSort
from tests.record.search.judged import HISTORY, evaluate
from tests.record.search.library import Library, new_owner


async def test_what_no_word_finds_is_found_by_meaning_once_the_job_has_run(library: Library) -> None:
    await library.put("cooking", "how to bake sourdough bread with flour and yeast")
    await library.put("database", "the SQL query planner ignores the index on this column")
    question = "loaf oven"
    assert await library.found(question) == []
    assert await library.found(question, mode=SearchMode.HYBRID) == []
    await library.embed()
    answer = await library.search(question, mode=SearchMode.HYBRID)
    assert answer.hits[0].session.client_id == "cooking"
    assert answer.hits[0].rank > 0
    assert answer.hits[0].exchanges
    assert answer.hits[0].snippet


async def test_words_and_meaning_together_keep_every_hit_of_the_words(library: Library) -> None:
    await library.put("a", "sourdough bread", at="2026-01-01T10:00:00Z")
    await library.put("b", "bread knife", at="2026-02-01T10:00:00Z")
    await library.embed()
    assert sorted(await library.found("bread", mode=SearchMode.HYBRID)) == ["a", "b"]
    assert await library.found("bread", mode=SearchMode.HYBRID, sort=SearchSort.RECENT) == ["b", "a"]


async def test_a_changed_exchange_gets_a_new_vector_and_a_deleted_one_is_forgotten(library: Library) -> None:
    session = await library.put("s", "how to bake sourdough bread")
    await library.embed()
    library.clock.advance(60)
    await library.put("s", "tuning a relational database index")
    await library.embed()
    question = "speed up SQL queries"
    assert await library.found(question, mode=SearchMode.HYBRID) == ["s"]
    await library.delete(session)
    assert await library.found(question, mode=SearchMode.HYBRID) == []


async def test_meaning_finds_nothing_of_others(library: Library) -> None:
    await library.put("s", "how to bake sourdough bread")
    await library.embed()
    other = library.of(new_owner())
    await other.put("theirs", "sql")
    assert "s" not in await other.found("making a loaf of bread", mode=SearchMode.HYBRID)


async def test_hybrid_search_ranks_real_questions_better_than_words_alone() -> None:
    if not HISTORY.is_dir():
        warnings.warn(f"no real sessions at {HISTORY}: the judged questions were not asked", stacklevel=1)
        return
    found = await evaluate()
    text, hybrid = found[SearchMode.TEXT], found[SearchMode.HYBRID]
    assert hybrid.ndcg > text.ndcg + 0.1, found
    assert hybrid.recall > text.recall + 0.2, found
