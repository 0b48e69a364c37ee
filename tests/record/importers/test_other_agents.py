"""Codex, Gemini, Cursor and SpecStory folders: each store's own way of keeping a session."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from specloop.record.sessions.importers import Places, find_in, find_local, find_transcripts, read_transcript
from tests.record.importers import stores
from tests.record.importers.reading import messages, read, shape, tools


def test_codex_says_each_word_once(tmp_path: Path) -> None:
    stores.write_codex(tmp_path)
    session = read(tmp_path)
    expected = [
        ("user", "Fix the test"),
        ("agent", "I should run it"),
        ("agent", "shell"),
        ("agent", "apply_patch"),
        ("agent", "Fixed."),
    ]
    assert shape(session) == expected
    assert (session.session_id, session.agent, session.cwd) == (stores.CODEX_ID, "Codex CLI", stores.FOLDER)
    assert (session.remote, session.branches) == ("git@github.com:acme/widgets.git", ("topic",))
    assert session.models == ("gpt-5-codex",)


def test_codex_without_items_or_without_events_reads_the_same_words(tmp_path: Path) -> None:
    spoken = [("user", "Fix the test"), ("agent", "Fixed.")]
    for kind in ("event_msg", "response_item"):
        home = tmp_path / kind
        stores.write_codex(home, [r for r in stores.codex_records() if r["type"] in ("session_meta", kind)])
        assert [each for each in shape(read(home)) if each in spoken] == spoken


def test_codex_tools_hold_their_result_and_whether_they_failed(tmp_path: Path) -> None:
    stores.write_codex(tmp_path)
    shell, patch = tools(read(tmp_path))
    assert (shell["type"], shell["input"]["command"]) == ("shell", ["bash", "-lc", "pytest"])
    assert shell["output"] == {"content": "1 failed", "is_error": True, "exit_code": 1}
    assert (patch["type"], patch["output"]) == ("write", {"content": "Success.", "is_error": False})
    (hinted,) = [m["pathHints"] for m in messages(read(tmp_path)) if "pathHints" in m]
    assert hinted == ["src/app.py"]


def test_codex_tokens_told_twice_count_once(tmp_path: Path) -> None:
    stores.write_codex(tmp_path)
    counted = [message["usage"] for message in messages(read(tmp_path)) if "usage" in message]
    usage = {"inputTokens": 100, "outputTokens": 20, "cachedInputTokens": 40, "reasoningOutputTokens": 8}
    assert counted == [usage]


def test_the_oldest_codex_records_have_no_envelope(tmp_path: Path) -> None:
    records = [
        {"id": stores.CODEX_ID, "timestamp": "2026-05-01T00:00:00Z", "instructions": None},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    ]
    stores.write_codex(tmp_path, records)
    session = read(tmp_path)
    assert shape(session) == [("user", "Hi"), ("agent", "Hello")]
    assert session.session_id == stores.CODEX_ID


def test_codex_home_moves_the_store(tmp_path: Path) -> None:
    stores.write_codex(tmp_path)
    places = Places(tmp_path / "nobody", {"CODEX_HOME": str(tmp_path / ".codex")})
    assert len(list(find_transcripts(places, ["codex"]))) == 1


def test_gemini_reads_thoughts_tools_and_tokens(tmp_path: Path) -> None:
    stores.write_gemini(tmp_path)
    session = read(tmp_path)
    expected = [
        ("user", "Read a.txt"),
        ("agent", "Plan\n\nRead it"),
        ("agent", "It says hello."),
        ("agent", "read_file"),
    ]
    assert shape(session) == expected
    assert (session.session_id, session.agent, session.cwd) == (stores.GEMINI_ID, "Gemini CLI", stores.FOLDER)
    assert tools(session)[0]["output"] == {"content": "hello", "is_error": False}
    usage = {"inputTokens": 30, "outputTokens": 6, "cachedTokens": 4, "thoughtTokens": 2}
    assert messages(session)[-1]["usage"] == usage


def test_geminis_log_is_replayed(tmp_path: Path) -> None:
    question, answer, _ = stores.gemini_messages()
    half: dict[str, Any] = {**answer, "toolCalls": [], "tokens": None}
    taken_back = {"id": "m8", "type": "user", "content": "Never mind", "timestamp": "2026-10-11T09:00:07.000Z"}
    patch: dict[str, Any] = {"$set": {"summary": "Reading", "messages": []}}
    records: list[dict[str, Any]] = [
        stores.gemini_facts(),
        question,
        half,
        answer,
        taken_back,
        {"$rewindTo": "m8"},
        patch,
    ]
    stores.write_gemini_log(tmp_path, records)
    session = read(tmp_path)
    assert [who for who, _ in shape(session)] == ["user", "agent", "agent", "agent"]
    assert (session.summary, session.cwd) == ("Reading", stores.FOLDER)


def test_geminis_sub_agents_are_no_sessions_of_their_own(tmp_path: Path) -> None:
    stores.write_gemini_log(tmp_path, [{**stores.gemini_facts(), "kind": "subagent"}, *stores.gemini_messages()])
    assert [read_transcript(found) for found in find_local(tmp_path)] == [None]


def test_cursors_command_line_reads_messages_in_the_order_of_the_root(tmp_path: Path) -> None:
    stores.write_cursor_cli(tmp_path)
    session = read(tmp_path)
    expected = [("user", "Which files?"), ("agent", "Look first"), ("agent", "Shell"), ("agent", "One file.")]
    assert shape(session) == expected
    assert (session.session_id, session.agent, session.cwd) == (stores.CURSOR_ID, "Cursor CLI", stores.FOLDER)
    assert tools(session)[0]["output"] == {"content": "a.txt", "is_error": False}
    assert session.models == ("composer-1",)


def test_a_cursor_chat_without_a_root_is_read_as_it_was_written(tmp_path: Path) -> None:
    stores.write_cursor_cli(tmp_path, has_root=False)
    assert shape(read(tmp_path))[0] == ("user", "Which files?")


def test_the_cursor_editor_reads_bubbles_and_the_window_tells_the_folder(tmp_path: Path) -> None:
    stores.write_cursor_ide(tmp_path)
    session = read(tmp_path)
    assert shape(session) == [
        ("user", "Build it"),
        ("agent", "make"),
        ("agent", "run_terminal_cmd"),
        ("agent", "Built."),
    ]
    assert (session.session_id, session.agent) == (stores.COMPOSER_ID, "Cursor IDE")
    assert session.cwd == "/home/dev/my demo"
    assert messages(session)[-1]["usage"] == {"inputTokens": 9, "outputTokens": 3}
    assert messages(session)[-1]["model"] == "claude-4-sonnet"


@pytest.mark.parametrize("write", [stores.write_cursor_cli, stores.write_cursor_ide])
def test_a_store_in_use_is_read_whole_and_left_as_it_is(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    path = write(tmp_path)
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("PRAGMA journal_mode = WAL")
        owner.execute("PRAGMA wal_autocheckpoint = 0")
        owner.execute("CREATE TABLE more (x)")
        owner.commit()
        owner.execute("BEGIN IMMEDIATE")  # the owner is writing: who wanted a lock would wait
        files = sorted(path.parent.glob(f"{path.name}*"))
        before = [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files]
        assert len(before) == 3
        assert shape(read(tmp_path))[0][0] == "user"
        files = sorted(path.parent.glob(f"{path.name}*"))
        assert [(file.name, file.read_bytes(), file.stat().st_mtime_ns) for file in files] == before


def test_what_is_only_in_the_log_is_read(tmp_path: Path) -> None:
    path = stores.write_cursor_ide(tmp_path)
    with closing(sqlite3.connect(path)) as owner:
        owner.execute("PRAGMA journal_mode = WAL")
        owner.execute("PRAGMA wal_autocheckpoint = 0")
        key = f"bubbleId:{stores.COMPOSER_ID}:b4"
        owner.execute("UPDATE cursorDiskKV SET value = replace(value, 'Built.', 'Built anew.') WHERE key = ?", [key])
        owner.commit()
        assert shape(read(tmp_path))[-1] == ("agent", "Built anew.")


def test_a_folder_of_specstory_markdown_is_read_as_it_stands(tmp_path: Path) -> None:
    path = stores.write_history(tmp_path / "work")
    (path.parent / "README.md").write_text("# Notes\n")
    (path.parent / ".what-is-this.md").write_text("Generated by SpecStory")
    places = Places(tmp_path, folders=(tmp_path / "work",))
    (found,) = find_transcripts(places, ["specstory"])
    session = read_transcript(found)
    assert session is not None
    assert (session.session_id, session.agent) == (stores.HISTORY_ID, "Claude Code")
    assert session.markdown == session.raw == stores.HISTORY
    assert session.session_data is None
    assert (session.name, session.cwd) == (path.stem, str(tmp_path / "work"))
    assert session.prompt.strip() == "Explain the parser"


def test_markdown_without_an_id_gets_the_same_one_everywhere(tmp_path: Path) -> None:
    bare = "_**User**_\n\nHello\n\n---\n\n_**Assistant**_\n\nHi\n"
    ids = set[str]()
    for place in ("one", "two"):
        stores.write_history(tmp_path / place, bare, "2025-01-01_10-00Z-hello")
        (found,) = find_transcripts(Places(tmp_path / place), ["specstory"])
        session = read_transcript(found)
        assert session is not None
        ids.add(session.session_id)
    assert len(ids) == 1


def test_the_cursor_editors_windows_keep_no_chats_in_their_stores(tmp_path: Path) -> None:
    path = stores.write_cursor_ide(tmp_path)
    found = find_in(tmp_path, ["cursoride"])
    assert {each.path for each in found} == {path}
