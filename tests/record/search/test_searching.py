"""What a search finds, on both engines, through uploads as they really are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from specloop.record.search import SearchSort
from specloop.record.search.service import searching
from specloop.record.sessions import SessionFilters
from tests.record.search.library import Library, new_owner


async def test_a_word_finds_words_that_begin_with_it_in_either_case(library: Library) -> None:
    await library.put("s1", "The Refactoring of billing")
    await library.put("s2", "unrefactored")
    assert await library.found("REFACTOR") == ["s1"]


async def test_all_words_must_be_in_one_exchange(library: Library) -> None:
    await library.put("apart", "alpha here", "beta there")
    await library.put("together", "nothing", "beta then alpha")
    assert await library.found("alpha beta") == ["together"]


async def test_inner_punctuation_asks_for_words_side_by_side_the_last_a_beginning(library: Library) -> None:
    await library.put("s1", "the foo/barista opened")
    await library.put("s2", "foo and bar")
    await library.put("s3", "myfoo bar")
    assert await library.found("foo-bar") == ["s1"]


async def test_closed_quotes_are_exact_and_open_ones_end_in_a_beginning(library: Library) -> None:
    await library.put("exact", "please retry the upload now")
    await library.put("longer", "please retry the uploads now")
    assert await library.found('"retry the upload"') == ["exact"]
    assert sorted(await library.found('"retry the upload')) == ["exact", "longer"]


async def test_short_beginnings_are_found_alone_and_with_others(library: Library) -> None:
    await library.put("s1", "quick zebra")
    await library.put("s2", "quiet lion")
    assert sorted(await library.found("qu")) == ["s1", "s2"]
    assert await library.found("qu z") == ["s1"]
    assert await library.found("qu zebr") == ["s1"]


async def test_accents_and_scripts_are_found(library: Library) -> None:
    await library.put("s1", "Le café de José — naïve")
    await library.put("s2", "我们使用数据库连接池")
    await library.put("s3", "Привет мир 🎉")
    assert await library.found("cafe jose") == ["s1"]
    assert await library.found("数据库") == ["s2"]
    assert await library.found("据数") == []
    assert await library.found("прив") == ["s3"]


async def test_an_upload_replaces_what_was_found_before(library: Library) -> None:
    await library.put("s1", "first apple", "second banana")
    await library.put("s1", "first apple", "second cherry", "third damson")
    assert await library.found("banana") == []
    assert [await library.found(word) for word in ("apple", "cherry", "damson")] == [["s1"]] * 3
    await library.put("s1", "third damson", "first apple")
    assert await library.found("cherry") == []
    hit = (await library.search("apple")).hits[0]
    assert [one.order_number for one in hit.exchanges] == [1]
    assert (await library.check()).is_sound


async def test_a_deleted_session_leaves_nothing_in_the_index(library: Library) -> None:
    session = await library.put("s1", "apple pie", "apple tart")
    await library.put("s2", "apple cake")
    await library.delete(session)
    assert await library.found("apple") == ["s2"]
    report = await library.check()
    assert report.is_sound
    assert report.exchanges == 1


async def test_nobody_finds_the_sessions_of_others(library: Library) -> None:
    await library.put("mine", "secret plan")
    other = library.of(new_owner())
    await other.put("theirs", "secret plan")
    assert await other.found("secret") == ["theirs"]
    assert await library.found("secret") == ["mine"]
    neighbour = library.of(replace(library.owner, user_id=other.owner.user_id))
    assert await neighbour.found("secret", has_facets=True) == []


async def test_better_matches_come_first_and_rank_higher(library: Library) -> None:
    await library.put("weak", "zeppelin " + "filler words about nothing " * 40)
    await library.put("strong", "zeppelin zeppelin zeppelin")
    answer = await library.search("zeppelin")
    assert [hit.session.client_id for hit in answer.hits] == ["strong", "weak"]
    assert answer.hits[0].rank > answer.hits[1].rank > 0


async def test_a_beginning_of_one_letter_limits_the_hits_but_not_their_order(library: Library) -> None:
    await library.put("weak", "zeppelin " + "zoo " * 30 + "filler words about nothing " * 40)
    await library.put("strong", "zeppelin zeppelin zeppelin zoo")
    await library.put("neither", "zeppelin and nothing more")
    assert await library.found("zo zeppelin") == ["strong", "weak"]


async def test_of_too_many_matches_the_newest_are_ranked_by_whole_words(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "SCORED_MAX", 2)
    await library.put("oldest", "apple apple apple apple", at="2026-01-01T10:00:00Z")
    await library.put("strong", "apple apple apple", at="2026-02-01T10:00:00Z")
    await library.put("weak", "apple " + "filler words about nothing " * 40, at="2026-03-01T10:00:00Z")
    assert await library.found("apple") == ["strong", "weak", "oldest"]


async def test_newest_first_is_by_when_sessions_were_active(library: Library) -> None:
    await library.put("old", "apple", at="2026-01-01T10:00:00Z")
    await library.put("new", "apple", at="2026-03-01T10:00:00Z")
    await library.put("mid", "apple apple apple", at="2026-02-01T10:00:00Z")
    assert await library.found("apple", sort=SearchSort.RECENT) == ["new", "mid", "old"]
    await library.put("old", "apple again", at="2026-04-01T10:00:00Z")
    assert await library.found("apple", sort=SearchSort.RECENT) == ["old", "new", "mid"]


async def test_pages_add_up_to_the_whole(library: Library) -> None:
    for index in range(7):
        await library.put(f"s{index}", "apple " * (index + 1))
    whole = await library.found("apple", limit=None)
    pages = [await library.search("apple", limit=3, offset=offset) for offset in (0, 3, 6, 9)]
    assert [hit.session.client_id for page in pages for hit in page.hits] == whole
    assert {page.total for page in pages} == {7}


async def test_filters_of_the_query_and_of_the_request_both_hold(library: Library) -> None:
    await library.put("s1", "apple", project="alpha", metadata={"tags": ["Work"], "gitBranches": ["main"]})
    await library.put("s2", "apple", project="beta", metadata={"machineName": "desktop", "agentName": "Codex CLI"})
    await library.put("s3", "apple", project="beta", model="gpt-5", at="2026-05-01T10:00:00Z")
    assert await library.found("apple agent:codex") == ["s2"]
    assert await library.found('apple agent:"claude code" project:beta') == ["s3"]
    assert await library.found("apple machine:DESK") == ["s2"]
    assert await library.found("apple model:gpt") == ["s3"]
    assert await library.found("apple tag:work branch:main") == ["s1"]
    assert await library.found("apple after:2026-02") == ["s3"]
    assert sorted(await library.found("apple before:2026-02-01")) == ["s1", "s2"]
    assert await library.found("project:alpha") == ["s1"]
    assert await library.found("apple project:beta", filters=SessionFilters(machines=["desktop"])) == ["s2"]
    assert await library.found("apple has:error") == []
    assert await library.found("project:%") == []


async def test_files_tools_and_errors_filter(library: Library) -> None:
    tool = {
        "name": "Edit",
        "type": "write",
        "useId": "t1",
        "input": {"file_path": "/home/dev/demo/src/billing_api.py"},
        "output": {"content": "no", "is_error": True},
    }
    await library.put("s1", "apple", tool=tool)
    await library.put("s2", "apple")
    assert await library.found("apple tool:edit") == ["s1"]
    assert await library.found("apple file:billing_api") == ["s1"]
    assert await library.found("apple file:billing%api") == []
    assert await library.found("has:error") == ["s1"]


async def test_facets_count_the_sessions_of_all_hits(library: Library) -> None:
    await library.put("s1", "apple", project="alpha", metadata={"tags": ["a", "b"]})
    await library.put("s2", "apple", project="beta", metadata={"tags": ["a"]})
    await library.put("s3", "pear", project="beta", metadata={"tags": ["a"]})
    facets = (await library.search("apple", limit=1, has_facets=True)).facets
    assert facets["project"] == [("alpha", 1), ("beta", 1)]
    assert facets["tag"] == [("a", 2), ("b", 1)]
    assert facets["agent"] == [("Claude Code", 2)]
    assert facets["machine"] == [("laptop", 2)]
    assert facets["tool"] == []


async def test_very_long_exchanges_are_searched_to_their_end(library: Library) -> None:
    filler = " ".join(f"word{index} the the" for index in range(15_000))
    await library.put("long", f"startprobe {filler} left side endprobe")
    await library.put("short", "endprobe")
    assert await library.found("startprobe endprobe") == ["long"]
    assert await library.found('"word14999 the the left side endprobe"') == ["long"]
    assert await library.found('"the left side"') == ["long"]
    assert sorted(await library.found("endpro")) == ["long", "short"]
    await library.put("long", "gone")
    assert await library.found("startprobe") == []
    assert (await library.check()).is_sound


async def test_a_query_without_words_and_filters_finds_nothing(library: Library) -> None:
    await library.put("s1", "apple")
    assert [await library.found(query) for query in ("", "  ", "--", '""', "🎉", "\x00")] == [[]] * 6


async def test_the_index_is_rebuilt_from_the_exchanges(library: Library) -> None:
    await library.put("s1", "apple pie", "pear")
    await library.put("s2", "apple")
    assert await library.rebuild() == 2
    assert sorted(await library.found("apple")) == ["s1", "s2"]
    assert (await library.check()).is_sound
    await library.put("s1", "plum")
    assert await library.found("pear") == []
    assert (await library.check()).is_sound
