"""Claude Code's transcripts become SessionData: chains in order, tools with their results, tokens once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from specloop.record.sessions.importers import LocalSession, Places, find_local, find_transcripts, read_transcript
from tests.record.importers.stores import CLAUDE_ID, FOLDER, claude_record, claude_records, lines, write_claude


def read(home: Path) -> LocalSession:
    (found,) = find_local(home)
    session = read_transcript(found)
    assert session is not None
    return session


def messages(session: LocalSession) -> list[dict[str, Any]]:
    assert session.session_data is not None
    return [message for exchange in session.session_data["exchanges"] for message in exchange["messages"]]


def said(session: LocalSession) -> list[str]:
    return [message["content"][0]["text"] for message in messages(session) if "content" in message]


def test_a_session_is_read_with_its_facts(tmp_path: Path) -> None:
    write_claude(tmp_path)
    session = read(tmp_path)
    data = session.session_data
    assert data is not None
    assert (session.session_id, session.agent, session.cwd) == (CLAUDE_ID, "Claude Code", FOLDER)
    assert (session.prompt, session.summary) == ("List the files", "Files of the demo")
    assert (session.branches, session.models) == (("main",), ("claude-sonnet-4-5",))
    assert data["provider"] == {"id": "claude-code", "name": "Claude Code", "version": "2.0.1"}
    assert (data["schemaVersion"], data["workspaceRoot"], data["slug"]) == ("1.0", FOLDER, "list-the-files")
    assert data["createdAt"] == "2026-10-09T10:00:00.000000Z"
    assert data["updatedAt"] == "2026-10-09T10:00:09.000000Z"
    assert [exchange["exchangeId"] for exchange in data["exchanges"]] == [f"{CLAUDE_ID}:0", f"{CLAUDE_ID}:1"]
    assert data["exchanges"][0]["startTime"] == "2026-10-09T10:00:00.000000Z"
    assert data["exchanges"][0]["endTime"] == "2026-10-09T10:00:04.000000Z"


def test_a_tool_call_and_its_result_are_one_message(tmp_path: Path) -> None:
    write_claude(tmp_path)
    (tool,) = [message["tool"] for message in messages(read(tmp_path)) if "tool" in message]
    assert (tool["name"], tool["type"], tool["useId"]) == ("Bash", "shell", "toolu_1")
    assert tool["input"] == {"command": "ls", "description": "list", "_cwd": FOLDER}
    assert tool["output"] == {"content": "a.txt", "is_error": False}


def test_an_answer_split_over_records_counts_its_tokens_once_at_the_end(tmp_path: Path) -> None:
    first = {"id": "msg_1", "usage": {"input_tokens": 10, "output_tokens": 1}}
    last = {"id": "msg_1", "usage": {"input_tokens": 10, "output_tokens": 9}}
    thought = [{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}]
    records = [
        claude_record("user", "u1", None, "Hello", 0),
        claude_record("assistant", "a1", "u1", thought, 1, message=first),
        claude_record("assistant", "a2", "a1", [{"type": "text", "text": "Hi"}], 2, message=last),
    ]
    write_claude(tmp_path, records)
    found = [(message.get("content"), message.get("usage")) for message in messages(read(tmp_path))[1:]]
    assert found[0] == ([{"type": "thinking", "text": "Hm"}], None)
    assert found[1][1] == {"inputTokens": 10, "outputTokens": 9}


def test_records_are_put_in_the_order_of_their_chain(tmp_path: Path) -> None:
    write_claude(tmp_path, claude_records()[::-1])
    assert said(read(tmp_path)) == ["List the files", "I will look.", "There is one file.", "Thank you"]


def test_an_answer_that_the_user_went_back_behind_is_kept(tmp_path: Path) -> None:
    again = claude_record("user", "u9", "a2", "Other question", 8)
    write_claude(tmp_path, [*claude_records(), again])
    assert said(read(tmp_path)) == [
        "List the files",
        "I will look.",
        "There is one file.",
        "Thank you",
        "Other question",
    ]


def test_a_ring_of_parents_loses_no_message(tmp_path: Path) -> None:
    write_claude(tmp_path, [claude_record("user", "u1", "u2", "One"), claude_record("user", "u2", "u1", "Two", 1)])
    assert said(read(tmp_path)) == ["One", "Two"]


def test_records_that_stand_there_twice_are_read_once(tmp_path: Path) -> None:
    write_claude(tmp_path, claude_records() * 2)
    assert len(said(read(tmp_path))) == 4


def test_sub_agents_speak_inside_the_exchange_that_called_them(tmp_path: Path) -> None:
    inside = [
        claude_record("user", "s1", None, "Search the code", 3, isSidechain=True),
        claude_record("assistant", "s2", "s1", [{"type": "text", "text": "Found it"}], 3, isSidechain=True),
    ]
    write_claude(tmp_path, [*claude_records(), *inside])
    session = read(tmp_path)
    assert session.session_data is not None
    first, second = session.session_data["exchanges"]
    aside = [m["content"][0]["text"] for m in first["messages"] if m.get("metadata") == {"isSidechain": True}]
    assert aside == ["Search the code", "Found it"]
    assert len(second["messages"]) == 1


def test_sub_agents_files_belong_to_their_session(tmp_path: Path) -> None:
    path = write_claude(tmp_path)
    beside = claude_record("user", "s1", None, "Beside", 3, isSidechain=True)
    other = claude_record("user", "x1", None, "Stranger", 3, isSidechain=True, session="other")
    inside = claude_record("user", "s2", None, "Inside", 3, isSidechain=True)
    (path.parent / "agent-1.jsonl").write_bytes(lines([beside]))
    (path.parent / "agent-2.jsonl").write_bytes(lines([other]))
    folder = path.with_suffix("") / "subagents"
    folder.mkdir(parents=True)
    (folder / "agent-3.jsonl").write_bytes(lines([inside]))
    session = read(tmp_path)
    assert {"Beside", "Inside"} <= set(said(session))
    assert "Stranger" not in said(session)
    assert "Beside" in session.raw
    assert "Inside" in session.raw


def test_a_sub_agents_file_that_comes_later_is_noticed(tmp_path: Path) -> None:
    path = write_claude(tmp_path)
    os.utime(path.parent, (1_700_000_000, 1_700_000_000))
    assert "Beside" not in said(read(tmp_path))
    beside = claude_record("user", "s1", None, "Beside", 3, isSidechain=True)
    (path.parent / "agent-1.jsonl").write_bytes(lines([beside]))
    assert "Beside" in said(read(tmp_path))


def test_warm_ups_and_records_without_words_are_no_session(tmp_path: Path) -> None:
    warm_up = [
        claude_record("user", "u1", None, "Warmup", 0, isSidechain=True),
        claude_record("assistant", "a1", "u1", [{"type": "text", "text": "Ready"}], 1, isSidechain=True),
        claude_record("user", "u2", None, "<local-command-stdout>ok</local-command-stdout>", 2),
        claude_record("user", "u3", None, "Caveat", 3, isMeta=True),
    ]
    write_claude(tmp_path, warm_up)
    (found,) = find_local(tmp_path)
    assert read_transcript(found) is None


def test_a_summary_in_the_users_name_begins_no_exchange(tmp_path: Path) -> None:
    compact = claude_record("user", "u9", None, "This session is continued", 8, isCompactSummary=True)
    write_claude(tmp_path, [*claude_records(), compact])
    session = read(tmp_path)
    assert session.session_data is not None
    assert len(session.session_data["exchanges"]) == 2
    assert messages(session)[-1]["role"] in ("agent", "user")
    (told,) = [m for m in messages(session) if "continued" in str(m)]
    assert (told["role"], told["content"][0]["type"]) == ("agent", "thinking")


def test_files_that_a_tool_names_are_hints_relative_to_the_folder(tmp_path: Path) -> None:
    call = {"type": "tool_use", "id": "t", "name": "Edit", "input": {"file_path": f"{FOLDER}/src/a.py"}}
    write_claude(tmp_path, [claude_record("user", "u1", None, "Go"), claude_record("assistant", "a1", "u1", [call], 1)])
    (message,) = [m for m in messages(read(tmp_path)) if "tool" in m]
    assert message["pathHints"] == ["src/a.py"]
    assert message["tool"]["type"] == "write"


def test_a_store_may_be_moved(tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    write_claude(tmp_path).rename(tmp_path / "s.jsonl")
    (moved / "projects" / "p").mkdir(parents=True)
    (tmp_path / "s.jsonl").rename(moved / "projects" / "p" / f"{CLAUDE_ID}.jsonl")
    places = Places(tmp_path, {"CLAUDE_CONFIG_DIR": f"{tmp_path / 'none'}, {moved}"})
    assert [found.path.stem for found in find_transcripts(places, ["claude"])] == [CLAUDE_ID]


def test_a_command_is_the_title_as_it_was_typed(tmp_path: Path) -> None:
    typed = "<command-message>review</command-message>\n<command-name>/review</command-name>\n"
    typed += "<command-args>src/a.py</command-args>"
    answer = claude_record("assistant", "a1", "u1", [{"type": "text", "text": "Fine"}], 1)
    write_claude(tmp_path, [claude_record("user", "u1", None, typed), answer])
    assert read(tmp_path).prompt == "/review src/a.py"
    write_claude(tmp_path, [claude_record("user", "u1", None, "<command-name>/exit</command-name>")])
    (found,) = find_local(tmp_path)
    assert read_transcript(found) is None


def queued(words: Any, second: int, key: str | None = "q1", parent: str | None = "a1", **more: Any) -> dict[str, Any]:
    """What the user typed while the agent worked."""
    attachment = {"type": "queued_command", "prompt": words, "commandMode": "prompt", **more}
    record = claude_record("user", key or "", parent, "", second)
    del record["message"]
    if key is None:
        del record["uuid"]
    return {**record, "type": "attachment", "attachment": attachment}


@pytest.mark.parametrize("words", ["Tests too", [{"type": "text", "text": "Tests too"}]])
@pytest.mark.parametrize("key", ["q1", None])
def test_what_is_typed_while_the_agent_works_is_the_users(tmp_path: Path, words: Any, key: str | None) -> None:
    records = claude_records()
    write_claude(tmp_path, [*records, queued(words, 3, key)])
    session = read(tmp_path)
    assert said(session) == ["List the files", "I will look.", "Tests too", "There is one file.", "Thank you"]
    assert [message["role"] for message in messages(session) if "Tests too" in str(message)] == ["user"]
    assert session.session_data is not None
    assert len(session.session_data["exchanges"]) == 3


def test_what_was_queued_and_stands_there_as_a_message_is_told_once(tmp_path: Path) -> None:
    taken_up = claude_record("user", "u9", "a2", "Tests too", 6)
    write_claude(tmp_path, [*claude_records(), queued("Tests too", 3), queued("Tests too", 3), taken_up])
    assert said(read(tmp_path)).count("Tests too") == 1
    later = {**claude_record("user", "u9", "a2", "Tests too"), "timestamp": "2026-10-09T12:00:00.000Z"}
    write_claude(tmp_path, [*claude_records(), queued("Tests too", 3), later])
    assert said(read(tmp_path)).count("Tests too") == 2


@pytest.mark.parametrize("more", [{"commandMode": "bash"}, {"origin": {"kind": "task"}}, {"type": "file"}])
def test_other_attachments_are_not_the_users(tmp_path: Path, more: dict[str, Any]) -> None:
    write_claude(tmp_path, [*claude_records(), queued("Tests too", 3, **more)])
    assert "Tests too" not in said(read(tmp_path))


def test_a_summary_of_another_session_is_not_this_ones(tmp_path: Path) -> None:
    other = {"type": "summary", "summary": "Another session", "leafUuid": "elsewhere"}
    write_claude(tmp_path, [other, *claude_records(), other])
    assert read(tmp_path).summary == "Files of the demo"
    write_claude(tmp_path, [other, *claude_records()[:-1]])
    assert read(tmp_path).summary is None
