"""The index stays whole when the rules by which words are cut change, as they may with a new version of Python."""

from __future__ import annotations

import re

import pytest

from specloop.record.search import IndexRebuilding, IndexTidying, SearchMode, words
from specloop.record.search.repository import checking, sessions
from specloop.record.search.service import rebuilding
from tests.record.search.library import Library


@pytest.fixture
def old_rules() -> pytest.MonkeyPatch:
    """Until it is undone, digits belong to no word: `abc12` is cut to `abc`."""
    patch = pytest.MonkeyPatch()
    patch.setattr(words, "_ASCII_WORD", re.compile("[a-z]+"))
    for module in (sessions, checking):
        patch.setattr(module, "RULES", "0/old")
    return patch


async def tidy(library: Library) -> None:
    """What the server does each night."""
    await IndexTidying(library.database, library.clock).tidy()


async def test_sessions_of_other_rules_are_updated_and_deleted_without_harm(
    library: Library, old_rules: pytest.MonkeyPatch
) -> None:
    await library.put("updated", "abc12def apple", "shared fig")
    gone = await library.put("gone", "abc34def quince")
    await library.put("kept", "abc56def pear")
    assert len(await library.found("def")) == 3
    old_rules.undo()
    assert (await library.check()).outdated == 3

    library.clock.advance(60)
    await library.put("updated", "xyz78uvw banana", "shared fig")
    await library.delete(gone)
    assert await library.found("xyz78uvw") == ["updated"]
    assert await library.found("shared") == ["updated"]
    assert await library.found("def") == ["kept"]
    assert await library.found("apple") == []
    assert await library.found("quince") == []
    report = await library.check()
    assert (report.outdated, report.missing, report.unnumbered_sessions, report.unfindable) == (1, 0, 0, 0)

    await tidy(library)
    assert (await library.check()).is_sound
    assert await library.found("def") == []
    assert await library.found("abc56def") == ["kept"]
    assert await library.found("abc") == ["kept"]
    await library.put("updated", "last one")
    assert await library.found("xyz78uvw") == []
    assert (await library.check()).is_sound


async def test_every_session_updated_or_deleted_leaves_nothing_behind_after_the_night(
    library: Library, old_rules: pytest.MonkeyPatch
) -> None:
    await library.put("updated", "abc12def")
    gone = await library.put("gone", "abc34def")
    old_rules.undo()
    await library.put("updated", "abc12def", "more")
    await library.delete(gone)
    assert (await library.check()).outdated == 0
    await tidy(library)
    assert (await library.check()).is_sound
    assert await library.found("abc12def") == ["updated"]


async def test_a_sound_index_is_not_made_again(library: Library) -> None:
    gone = await library.put("gone", "apple")
    await library.put("kept", "apple")
    await library.put("kept", "pear")
    await library.delete(gone)
    assert not await IndexRebuilding(library.database, library.clock).is_due()


async def test_what_is_known_of_the_meaning_goes_along(library: Library, old_rules: pytest.MonkeyPatch) -> None:
    await library.put("cooking", "how to bake sourdough bread with flour and yeast", "thanks")
    await library.embed()
    old_rules.undo()
    await library.put("cooking", "how to bake sourdough bread with flour and yeast", "many thanks")
    assert await library.found("loaf oven", mode=SearchMode.HYBRID) == ["cooking"]


async def test_a_rebuilding_that_was_cut_short_harms_nothing_and_is_made_up_for(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = [await library.put(f"s{number}", f"apple{number} pear") for number in range(4)]
    monkeypatch.setattr(rebuilding, "PORTION", 1)

    def stop(done: int, total: int) -> None:
        assert (done, total) == (1, 4)
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await IndexRebuilding(library.database, library.clock).rebuild(stop)
    assert len(await library.found("pear")) == 1
    assert (await library.check()).outdated == 3
    await library.put("s2", "plum pear")
    await library.delete(stored[3])
    assert await library.found("plum") == ["s2"]
    await tidy(library)
    assert (await library.check()).is_sound
    assert sorted(await library.found("pear")) == ["s0", "s1", "s2"]


async def test_progress_is_told_up_to_the_whole(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        await library.put(f"s{number}", "apple")
    monkeypatch.setattr(rebuilding, "PORTION", 2)
    told: list[tuple[int, int]] = []
    rebuilder = IndexRebuilding(library.database, library.clock)
    assert await rebuilder.rebuild(lambda done, total: told.append((done, total))) == 3
    assert told == [(2, 3), (3, 3)]
