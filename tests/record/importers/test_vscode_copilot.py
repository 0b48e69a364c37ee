"""Copilot's chats in VS Code and its kin: a document or a log of its changes, tools apart from what they returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from specloop.kit import json
from specloop.record.sessions.importers import (
    SOURCES,
    LocalSession,
    Places,
    find_in,
    find_local,
    find_transcripts,
    read_transcript,
)
from tests.record.importers import copilot_stores as stores
from tests.record.importers.reading import messages, read, shape, tools
from tests.record.importers.store_files import FOLDER, put

WHOLE = [
    ("user", "Why does the test fail?"),
    ("agent", "Look at it"),
    ("agent", "I read `app.py` first."),
    ("agent", "read_file"),
    ("agent", "run_in_terminal"),
    ("agent", "textEditGroup"),
    ("agent", "Fixed.\n\nRun it again."),
]


def answered(home: Path, *parts: dict[str, Any], **more: Any) -> LocalSession:
    """The session of one turn whose answer has these parts."""
    stores.write_copilot_document(home, [{**stores.copilot_request(), "response": list(parts), "result": {}, **more}])
    return read(home)


def test_a_log_is_replayed(tmp_path: Path) -> None:
    path = stores.write_copilot(tmp_path)
    session = read(tmp_path)
    assert shape(session) == WHOLE
    assert (session.session_id, session.agent, session.cwd) == (stores.COPILOT_ID, "VS Code Copilot IDE", FOLDER)
    assert (session.summary, session.models, session.skipped_lines) == ("Failing test", ("gpt-5-mini",), 0)
    assert session.raw.encode() == path.read_bytes()
    assert session.session_data is not None
    data = session.session_data
    assert data["provider"] == {"id": "copilotide", "name": "VS Code Copilot IDE", "version": "1.0"}
    assert (data["createdAt"], data["workspaceRoot"]) == ("2026-10-13T06:59:59.000000Z", FOLDER)
    (exchange,) = data["exchanges"]
    assert exchange["startTime"] == "2026-10-13T07:00:00.000000Z"
    assert exchange["endTime"] == "2026-10-13T07:00:09.000000Z"
    assert messages(session)[1]["content"] == [{"type": "thinking", "text": "Look at it"}]
    assert messages(session)[-1]["usage"] == {"inputTokens": 900, "outputTokens": 40}
    assert [message.get("usage") for message in messages(session)[:-1]] == [None] * 6


def test_a_document_reads_the_same_and_a_workspace_file_tells_the_folder(tmp_path: Path) -> None:
    stores.write_copilot(tmp_path / "log")
    stores.write_copilot_document(tmp_path / "document")
    log, document = read(tmp_path / "log"), read(tmp_path / "document")
    assert document.session_data == log.session_data
    assert document.cwd == FOLDER


@pytest.mark.parametrize(
    ("facts", "cwd"),
    [
        ({"folder": "file:///home/dev/my%20demo"}, "/home/dev/my demo"),
        ({"folder": "file:///c%3A/Users/dev/demo"}, "c:/Users/dev/demo"),
        ({"folder": "vscode-remote://wsl%2Bubuntu/home/dev/demo"}, "/home/dev/demo"),
        ({"workspace": "file:///home/dev/.config/Code/Workspaces/17/workspace.json"}, None),
        ({"folder": "http://["}, None),
        ([], None),
    ],
)
def test_the_window_tells_the_folder(tmp_path: Path, facts: Any, cwd: str | None) -> None:
    path = stores.write_copilot(tmp_path)
    put(path.parent.parent / "workspace.json", json.dumps(facts))
    assert read(tmp_path).cwd == cwd


def test_tools_hold_what_the_model_gave_and_got(tmp_path: Path) -> None:
    stores.write_copilot(tmp_path)
    session = read(tmp_path)
    file, terminal, edit = tools(session)
    assert (file["type"], file["useId"], file["input"]) == ("read", "call_1", {"filePath": f"{FOLDER}/app.py"})
    assert file["output"] == {"content": "x = 1\ny = 1", "is_error": False}
    assert (terminal["type"], terminal["input"]) == ("shell", {"command": "pytest"})
    assert terminal["output"] == {"content": "1 failed", "is_error": True, "exit_code": 1}
    assert (edit["type"], edit["input"]["edits"][0][0]["text"]) == ("write", "x = 2")
    assert [m["pathHints"] for m in messages(session) if "pathHints" in m] == [["app.py"], ["app.py"]]


def test_a_tool_is_told_once_and_as_it_was_in_the_end(tmp_path: Path) -> None:
    running = stores.tool_part("call_1", "copilot_readFile", isComplete=False)
    over = stores.tool_part("call_1", "copilot_readFile", resultDetails={"output": [{"value": "x = 1"}]})
    hidden = stores.tool_part("call_2", "copilot_readFile", presentation="hidden")
    session = answered(tmp_path, running, {"value": "Done."}, over, hidden)
    assert shape(session)[1:] == [("agent", "copilot_readFile"), ("agent", "Done.")]
    assert (tools(session)[0]["type"], tools(session)[0]["output"]["content"]) == ("read", "x = 1")


def test_tools_are_paired_by_the_models_id_whatever_their_order(tmp_path: Path) -> None:
    calls = [{"id": f"call_{n}__vscode-17", "name": f"tool_{n}", "arguments": "{}"} for n in (1, 2)]
    result = {"metadata": {"toolCallRounds": [{"toolCalls": calls[:1]}, {"toolCalls": calls[1:]}]}}
    parts = [stores.tool_part(f"call_{n}", "copilot_readFile") for n in (2, 3, 1)]
    session = answered(tmp_path, *parts, result=result)
    assert [tool["name"] for tool in tools(session)] == ["tool_2", "copilot_readFile", "tool_1"]


def test_an_old_tool_without_the_models_id_is_paired_by_order(tmp_path: Path) -> None:
    part = stores.tool_part("0d6e0c43-5a4f-4c3b-9d0e-3f6f6a1f2b11", "copilot_readFile")
    session = answered(tmp_path, part, result=stores.copilot_result())
    (tool,) = tools(session)
    assert (tool["name"], tool["input"]) == ("read_file", {"filePath": f"{FOLDER}/app.py"})
    assert tool["output"]["content"] == "x = 1\ny = 1"


def test_a_tool_that_the_extension_forgot_is_read_from_its_part(tmp_path: Path) -> None:
    details = {"input": '{"query": "x"}', "output": [{"value": "ten"}, {"mimeType": "image/png", "value": "aGk="}]}
    failed = stores.tool_part("a", "mcp_docs_find", resultDetails={**details, "isError": True})
    denied = stores.tool_part("b", "run_in_terminal", isConfirmed={"type": 0})
    refused = stores.tool_part("c", "run_in_terminal", isConfirmed=False)
    parts = tools(answered(tmp_path, failed, denied, refused))
    assert parts[0]["input"] == {"query": "x"}
    assert [part["type"] for part in parts] == ["generic", "shell", "shell"]
    assert [part["output"] for part in parts] == [
        {"content": "ten", "is_error": True},
        {"content": "", "is_error": True},
        {"content": "", "is_error": True},
    ]


def test_what_a_sub_agent_calls_is_marked(tmp_path: Path) -> None:
    session = answered(tmp_path, stores.tool_part("a", "copilot_findFiles", subAgentInvocationId="s1"))
    assert [message.get("metadata") for message in messages(session)] == [None, {"isSidechain": True}]


def test_what_no_user_typed_is_not_the_users(tmp_path: Path) -> None:
    first, second = stores.copilot_request(), stores.copilot_request()
    first["message"] = "Plain words of an old version"
    stores.write_copilot_document(tmp_path, [first, {**second, "isSystemInitiated": True}])
    said = [words for who, words in shape(read(tmp_path)) if who == "user"]
    assert said == ["Plain words of an old version"]


def test_a_chosen_model_is_kept_where_nothing_was_resolved(tmp_path: Path) -> None:
    assert answered(tmp_path, {"value": "Hi"}, modelId="copilot/gpt-4.1").models == ("copilot/gpt-4.1",)


def test_the_repository_of_a_chat_is_read(tmp_path: Path) -> None:
    facts = {"remoteUrl": "https://github.com/acme/widgets.git", "localBranch": "topic"}
    log = stores.copilot_log()
    stores.write_copilot(tmp_path, records=[*log, {"kind": 1, "k": ["repoData"], "v": facts}])
    session = read(tmp_path)
    assert (session.remote, session.branches) == (facts["remoteUrl"], ("topic",))


@pytest.mark.parametrize(("edition", "editor"), stores.EDITORS.items())
@pytest.mark.parametrize("home", [".config", "Library/Application Support", "Roaming"])
def test_every_edition_is_found_where_each_system_keeps_it(
    tmp_path: Path, home: str, edition: str, editor: str
) -> None:
    path = stores.write_copilot(tmp_path, edition)
    (tmp_path / home).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / ".config").rename(tmp_path / home)
    places = Places(tmp_path, {"APPDATA": str(tmp_path / "Roaming")})
    (found,) = find_transcripts(places)
    assert (found.source, found.path.name, editor in found.path.parts) == (edition, path.name, True)
    assert [each.source for each in find_in(tmp_path) if each.source.startswith("copilot")] == [edition]
    session = read_transcript(found)
    assert session is not None
    assert session.session_data is not None
    assert (session.agent, session.session_data["provider"]["id"]) == (SOURCES[edition].agent, edition)


def test_a_chat_in_a_window_without_a_folder_is_found(tmp_path: Path) -> None:
    path = stores.write_copilot(tmp_path)
    storage = tmp_path / ".config" / "Code" / "User" / "globalStorage"
    put(storage / "emptyWindowChatSessions" / path.name, path.read_bytes())
    put(storage / "other" / path.name, path.read_bytes())
    path.unlink()
    (found,) = find_local(tmp_path)
    session = read_transcript(found)
    assert session is not None
    assert (session.session_id, session.cwd) == (stores.COPILOT_ID, None)


def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    stores.write_copilot(tmp_path, records=[*stores.copilot_log(), {"kind": 3, "k": ["customTitle"]}])
    assert read(tmp_path).summary is None


def test_changes_that_fit_nowhere_change_nothing(tmp_path: Path) -> None:
    log = stores.copilot_log()
    astray: list[Any] = [
        {"kind": 1, "k": ["requests", 7, "response"], "v": []},
        {"kind": 1, "k": ["requests", "response"], "v": []},
        {"kind": 2, "k": [["requests"]], "v": [{}]},
        {"kind": 1, "k": ["requests", -1], "v": stores.copilot_request()},
        {"kind": 1, "k": ["requests", 9], "v": stores.copilot_request()},
        {"kind": 9, "k": ["requests"], "v": []},
        {"kind": 1, "k": [], "v": {}},
        {"kind": 1, "k": "requests", "v": {}},
    ]
    stores.write_copilot(tmp_path, records=[*log, *astray])
    assert shape(read(tmp_path)) == WHOLE


def test_a_broken_line_of_a_log_is_left_out_and_counted(tmp_path: Path) -> None:
    path = stores.write_copilot(tmp_path)
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([first, b"{broken\x00\n", *rest]))
    session = read(tmp_path)
    assert (shape(session), session.skipped_lines) == (WHOLE, 1)
