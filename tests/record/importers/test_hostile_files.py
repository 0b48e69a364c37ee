"""Files as they are on real disks: half written, broken, unreadable, linked in rings, full of anything."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specloop.kit import json
from specloop.record.sessions.importers import (
    SOURCES,
    FoundTranscript,
    UnreadableTranscript,
    find_in,
    find_local,
    read_transcript,
)
from tests.record.importers import copilot_stores, stores, terminal_stores

ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_a_file_that_is_being_written_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"type":"user","uuid":"u4","mess')
    (found,) = find_local(tmp_path)
    session = read_transcript(found)
    assert session is not None
    assert session.skipped_lines == 0
    assert session.raw.encode() == whole


def test_a_last_line_without_an_end_counts_when_it_is_whole(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path, stores.claude_records()[:1])
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert [read_transcript(found) is not None for found in find_local(tmp_path)] == [True]


def test_broken_lines_are_left_out_and_counted(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    path.write_bytes(b"\x00\xff\n[1]\nnull\n{broken\n\n" + path.read_bytes())
    (found,) = find_local(tmp_path)
    session = read_transcript(found)
    assert session is not None
    assert session.skipped_lines == 4
    assert session.prompt == "List the files"


def test_half_a_character_loses_no_line(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"List the files", b"List \xc3 the files \\ud83d"))
    (found,) = find_local(tmp_path)
    session = read_transcript(found)
    assert session is not None
    assert session.prompt == "List \ufffd the files \ufffd"


def test_a_line_of_many_megabytes_is_read(tmp_path: Path) -> None:
    stores.write_claude(tmp_path, stores.claude_records("x" * 20_000_000))
    (found,) = find_local(tmp_path)
    session = read_transcript(found)
    assert session is not None
    assert len(session.prompt) == 20_000_000


def test_rings_of_links_end_and_links_are_followed(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    (path.parent / "ring").symlink_to(path.parent.parent, target_is_directory=True)
    (path.parent / "self.jsonl").symlink_to(path.parent / "self.jsonl")
    (path.parent / "lost.jsonl").symlink_to(path.parent / "nowhere.jsonl")
    (path.parent / "linked.jsonl").symlink_to(path)
    assert {found.path.name for found in find_local(tmp_path)} == {path.name, "linked.jsonl"}


@pytest.mark.parametrize("source", SOURCES)
def test_what_is_gone_is_reported(source: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableTranscript) as caught:
        read_transcript(FoundTranscript(source, tmp_path / "gone", 1, 1))
    assert "gone" in caught.value.detail


@pytest.mark.parametrize(
    "write",
    [
        stores.write_cursor_cli,
        stores.write_cursor_ide,
        stores.write_gemini,
        terminal_stores.write_deepseek,
        copilot_stores.write_copilot_document,
    ],
)
def test_a_broken_store_is_reported_not_fatal(write: Any, tmp_path: Path) -> None:
    path: Path = write(tmp_path)
    path.write_bytes(b"This is no database and no JSON." * 100)
    (found,) = find_local(tmp_path)
    with pytest.raises(UnreadableTranscript) as caught:
        read_transcript(found)
    assert str(path) in caught.value.detail


def test_finding_looks_at_names_only(tmp_path: Path) -> None:
    path = stores.write_claude(tmp_path)
    path.write_bytes(b"\xff" * 100)
    (found,) = find_local(tmp_path)
    facts = os.stat(path)
    assert (found.size, found.mtime_ns) == (100, facts.st_mtime_ns)
    assert find_local(tmp_path / "nobody") == []


def test_a_named_path_may_hold_transcripts_of_any_agent(tmp_path: Path) -> None:
    stores.write_all(tmp_path)
    chosen = {found.place: found for found in find_in(tmp_path)}  # of two that claim a file the last one reads it
    assert {found.source for found in chosen.values() if read_transcript(found)} == set(SOURCES)
    assert [found.source for found in find_in(stores.write_history(tmp_path))] == ["specstory"]


@settings(max_examples=140, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_record_of_any_shape_breaks_a_reader(data: st.DataObject, tmp_path: Path) -> None:
    """Real records with one value replaced by anything: the reader reads or says that it cannot."""
    writers: dict[str, tuple[Callable[[Path, list[Any]], Path], list[Any]]] = {
        "claude": (stores.write_claude, stores.claude_records()),
        "codex": (stores.write_codex, stores.codex_records()),
        "gemini": (stores.write_gemini_log, [stores.gemini_facts(), *stores.gemini_messages()]),
        "copilotide": (
            lambda home, records: copilot_stores.write_copilot(home, records=records),
            copilot_stores.copilot_log(),
        ),
        "droid": (terminal_stores.write_droid, terminal_stores.droid_records()),
        "deepseek": (terminal_stores.write_deepseek, terminal_stores.deepseek_messages()),
        "antigravity": (terminal_stores.write_antigravity, terminal_stores.antigravity_steps()),
    }
    source = data.draw(st.sampled_from(sorted(writers)))
    write, records = writers[source]
    place = data.draw(st.integers(0, len(records) - 1))
    records[place] = replaced(records[place], data)
    path = write(tmp_path / source, records)
    for found in SOURCES[source].find_in(path):
        session = read_transcript(found)
        if session is not None:
            json.dumps(session.session_data)
            assert session.session_id


@pytest.mark.parametrize("source", SOURCES)
def test_nesting_without_end_and_nulls_break_no_reader(source: str, tmp_path: Path) -> None:
    """Every text file of every store, with one value made a deep nest, another a NUL, in each line."""
    stores.write_all(tmp_path)
    nest = b'{"content": [' * 400 + b'"\\u0000"' + b"]}" * 400
    for found in list(SOURCES[source].find_in(tmp_path)):
        for old in (b'"text"', b'"type"', b'"value"', b'"content"', b'"v"'):
            body = found.path.read_bytes()
            found.path.write_bytes(body.replace(old + b":", old + b":" + nest + b',"old":'))
            with suppress(UnreadableTranscript):
                read_transcript(found)
            found.path.write_bytes(body.replace(old + b":", b'"\\u0000":'))
            with suppress(UnreadableTranscript):
                read_transcript(found)
            found.path.write_bytes(body)


def replaced(value: Any, data: st.DataObject) -> Any:
    """The value with something inside it replaced."""
    if isinstance(value, dict) and value and data.draw(st.booleans()):
        members = cast(dict[str, Any], value)
        key = data.draw(st.sampled_from(sorted(members)))
        return {**members, key: replaced(members[key], data)}
    if isinstance(value, list) and value and data.draw(st.booleans()):
        items = cast(list[Any], value)
        at = data.draw(st.integers(0, len(items) - 1))
        return [*items[:at], replaced(items[at], data), *items[at + 1 :]]
    return data.draw(ANYTHING)


def test_a_record_whose_type_is_a_list_is_no_summary(tmp_path: Path) -> None:
    records = stores.claude_records()
    records[0]["type"] = []
    path = stores.write_claude(tmp_path, records)
    assert [SOURCES["claude"].read(found) for found in SOURCES["claude"].find_in(path)]
