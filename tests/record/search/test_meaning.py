"""Search by meaning: vectors come after the upload by a job, and make natural questions find their sessions."""

from __future__ import annotations

import warnings

import pytest

from specloop.record.search import SearchMode, SearchSort
from specloop.record.search.repository import vectors
from specloop.record.search.service import meaning
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


@pytest.mark.parametrize("nearest_max", [3, 200])
async def test_vectors_read_in_portions_give_the_same_answer(
    library: Library, monkeypatch: pytest.MonkeyPatch, nearest_max: int
) -> None:
    said = ("how to bake sourdough bread", "a bread knife", "flour and yeast " * 100, "a loaf from the oven")
    for number in range(6):  # the same texts again and again, so that many are equally near
        await library.put(f"s{number}", *said, f"bread number {number}")
    await library.embed()
    monkeypatch.setattr(meaning, "NEAREST_MAX", nearest_max)

    async def nearest() -> list[tuple[int, float]]:
        async with library.reading() as ctx:
            return list((await library.meaning.nearest(ctx, "baking bread")).items())

    whole = await nearest()
    assert len(whole) == min(nearest_max, 30)
    assert [key for key, _ in whole] == [key for key, _ in sorted(whole, key=lambda one: (-one[1], one[0]))]
    for portion, sessions_at_once in ((1, 100), (7, 100), (4, 1), (2, 3)):
        monkeypatch.setattr(vectors, "PORTION", portion)
        monkeypatch.setattr(vectors, "SESSIONS_AT_ONCE", sessions_at_once)
        assert await nearest() == whole


async def test_hybrid_search_ranks_real_questions_better_than_words_alone() -> None:
    if not HISTORY.is_dir():
        warnings.warn(f"no real sessions at {HISTORY}: the judged questions were not asked", stacklevel=1)
        return
    found = await evaluate()
    text, hybrid = found[SearchMode.TEXT], found[SearchMode.HYBRID]
    assert hybrid.ndcg > text.ndcg + 0.1, found
    assert hybrid.recall > text.recall + 0.2, found
