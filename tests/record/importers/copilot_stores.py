"""Small chats with Copilot, written into a home folder as VS Code and its kin would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specloop.kit import json
from tests.record.importers.store_files import FOLDER, lines, put

COPILOT_ID = "77777777-8888-4999-8aaa-bbbbbbbbbbbb"
COPILOT_IDS = {
    "copilotide": COPILOT_ID,
    "copilotide-insiders": "77777777-8888-4999-8aaa-bbbbbbbbbbb1",
    "copilotide-vscodium": "77777777-8888-4999-8aaa-bbbbbbbbbbb2",
    "copilotide-vscodium-insiders": "77777777-8888-4999-8aaa-bbbbbbbbbbb3",
}
EDITORS = dict(zip(COPILOT_IDS, ("Code", "Code - Insiders", "VSCodium", "VSCodium - Insiders"), strict=True))
ASKED_AT, ANSWERED_AT = 1_791_874_800_000, 1_791_874_809_000


def tool_part(call_id: str, tool_id: str, **more: Any) -> dict[str, Any]:
    """A tool as it stands in an answer."""
    part = {"kind": "toolInvocationSerialized", "toolCallId": call_id, "toolId": tool_id, "isComplete": True}
    return {**part, "isConfirmed": {"type": 1}, "invocationMessage": {"value": f"Running {tool_id}"}, **more}


def copilot_parts() -> list[dict[str, Any]]:
    """An answer: a thought, a sentence with a file in it, two tools, an edit, the end."""
    uri = {"$mid": 1, "path": f"{FOLDER}/app.py", "scheme": "file"}
    terminal = {
        "kind": "terminal",
        "commandLine": {"original": "pytest"},
        "terminalCommandOutput": {"text": "1 failed"},
        "terminalCommandState": {"exitCode": 1},
    }
    return [
        {"kind": "mcpServersStarting", "didStartServerIds": []},
        {"kind": "autoModeResolution", "resolvedModel": "gpt-5-mini", "confidence": 0.9},
        {"kind": "thinking", "value": "Look at it", "id": "t0"},
        {"value": "I read ", "supportThemeIcons": False},
        {"kind": "inlineReference", "inlineReference": uri},
        {"value": " first."},
        tool_part("call_1", "copilot_readFile", pastTenseMessage={"value": "Read app.py"}),
        tool_part("call_2", "run_in_terminal", toolSpecificData=terminal),
        {"value": "\n```python\n"},
        {"kind": "codeblockUri", "uri": uri, "isEdit": True},
        {"kind": "textEditGroup", "uri": uri, "edits": [[{"text": "x = 2", "range": {"startLineNumber": 1}}]]},
        {"value": "\n```\n"},
        {"value": "Fixed."},
        {"value": "Run it again."},
    ]


def copilot_result() -> dict[str, Any]:
    """What the extension keeps of an answer: what it called, and the result as a tree of texts."""
    arguments = json.dumps({"filePath": f"{FOLDER}/app.py"}).decode()
    leaves = [{"type": 2, "text": "x = 1"}, {"type": 2, "text": "y = 1", "lineBreakBefore": True}]
    tree = {"node": {"type": 1, "children": [{"type": 1, "children": leaves}]}}
    call = {"id": "call_1__vscode-1791874800", "name": "read_file", "arguments": arguments}
    results = {call["id"]: {"$mid": 20, "content": [{"$mid": 21, "value": tree}]}}
    return {
        "metadata": {"toolCallRounds": [{"id": "r1", "response": "", "toolCalls": [call]}], "toolCallResults": results}
    }


def copilot_request() -> dict[str, Any]:
    """A turn as it was when it was over."""
    return {
        "requestId": "request_1",
        "timestamp": ASKED_AT,
        "message": {"text": "Why does the test fail?", "parts": []},
        "modelId": "copilot/auto",
        "response": copilot_parts(),
        "result": copilot_result(),
        "modelState": {"value": 1, "completedAt": ANSWERED_AT},
        "promptTokens": 900,
        "completionTokens": 40,
    }


def copilot_chat(requests: Sequence[Any], session: str = COPILOT_ID) -> dict[str, Any]:
    """The document of a chat."""
    return {
        "version": 3,
        "sessionId": session,
        "creationDate": ASKED_AT - 1000,
        "customTitle": "Failing test",
        "responderUsername": "GitHub Copilot",
        "requests": list(requests),
    }


def copilot_log(session: str = COPILOT_ID) -> list[dict[str, Any]]:
    """The same chat as a log: a turn is added, its answer grows and is cut, the result comes last."""
    request = copilot_request()
    parts = request["response"]
    late = {name: request.pop(name) for name in ("result", "modelState", "promptTokens", "completionTokens")}
    return [
        {"kind": 0, "v": {**copilot_chat([], session), "customTitle": "New Chat"}},
        {"kind": 2, "k": ["requests"], "v": [{**request, "response": parts[:2], "confirmation": "yes"}]},
        {"kind": 2, "k": ["requests", 0, "response"], "v": [*parts[2:6], tool_part("call_9", "copilot_findFiles")]},
        {"kind": 2, "k": ["requests", 0, "response"], "v": parts[6:], "i": 6},
        *({"kind": 1, "k": ["requests", 0, name], "v": value} for name, value in late.items()),
        {"kind": 3, "k": ["requests", 0, "confirmation"]},
        {"kind": 1, "k": ["customTitle"], "v": "Failing test"},
    ]


def write_copilot(home: Path, edition: str = "copilotide", records: Sequence[Any] | None = None) -> Path:
    """A chat as a log, in the window of a folder."""
    session = COPILOT_IDS[edition]
    window = home / ".config" / EDITORS[edition] / "User" / "workspaceStorage" / "abc"
    put(window / "workspace.json", json.dumps({"folder": f"file://{FOLDER}"}))
    body = lines(records if records is not None else copilot_log(session))
    return put(window / "chatSessions" / f"{session}.jsonl", body)


def write_copilot_document(home: Path, requests: Sequence[Any] | None = None) -> Path:
    """A chat as one document, as older versions kept it, in the window of a workspace file."""
    window = home / ".config" / "Code" / "User" / "workspaceStorage" / "def"
    put(window / "workspace.json", json.dumps({"workspace": f"file://{FOLDER}/all.code-workspace"}))
    chat = copilot_chat(requests if requests is not None else [copilot_request()])
    return put(window / "chatSessions" / f"{COPILOT_ID}.json", json.dumps(chat))
