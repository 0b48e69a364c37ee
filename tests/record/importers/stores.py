"""Small transcripts in the formats of the coding agents, written into a home folder as the agents would."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specloop.kit import json
from tests.record.importers.copilot_stores import COPILOT_IDS, write_copilot
from tests.record.importers.store_files import FOLDER, lines
from tests.record.importers.terminal_stores import write_antigravity, write_deepseek, write_droid

CLAUDE_ID = "11111111-2222-4333-8444-555555555555"
CODEX_ID = "22222222-3333-4444-8555-666666666666"
GEMINI_ID = "33333333-4444-4555-8666-777777777777"
CURSOR_ID = "44444444-5555-4666-8777-888888888888"
COMPOSER_ID = "55555555-6666-4777-8888-999999999999"
HISTORY_ID = "66666666-7777-4888-8999-aaaaaaaaaaaa"


def claude_record(
    kind: str, key: str, parent: str | None, content: Any, second: int = 0, *, session: str = CLAUDE_ID, **more: Any
) -> dict[str, Any]:
    """One record of Claude Code."""
    message: dict[str, Any] = {"role": kind, "content": content}
    if kind == "assistant":
        message |= {"model": "claude-sonnet-4-5", "id": f"msg_{key}"} | more.pop("message", {})
    return {
        "type": kind,
        "uuid": key,
        "parentUuid": parent,
        "sessionId": session,
        "timestamp": f"2026-10-09T10:00:{second:02d}.000Z",
        "cwd": FOLDER,
        "gitBranch": "main",
        "version": "2.0.1",
        "isSidechain": False,
        "message": message,
        **more,
    }


def claude_records(prompt: str = "List the files", session: str = CLAUDE_ID) -> list[dict[str, Any]]:
    """Two turns: a tool call with its result and an answer (specstory.md §8.3), then a second question."""
    usage = {"usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 7}}
    call = {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "ls", "description": "list"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.txt", "is_error": False}
    answer = {"type": "text", "text": "I will look."}
    return [
        claude_record("user", "u1", None, prompt, 0, session=session),
        claude_record("assistant", "a1", "u1", [answer, call], 2, session=session, message=usage),
        claude_record("user", "u2", "a1", [result], 3, session=session),
        claude_record("assistant", "a2", "u2", [{"type": "text", "text": "There is one file."}], 4, session=session),
        claude_record("user", "u3", "a2", [{"type": "text", "text": "Thank you"}], 9, session=session),
        {"type": "summary", "summary": "Files of the demo", "leafUuid": "a2"},
    ]


def write_claude(home: Path, records: Sequence[Any] | None = None, session: str = CLAUDE_ID) -> Path:
    """A session of Claude Code."""
    path = home / ".claude" / "projects" / "-home-dev-demo" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(records if records is not None else claude_records(session=session)))
    return path


def codex_records() -> list[dict[str, Any]]:
    """A session of Codex: words as events and as items, a shell call, a patch, tokens told twice."""

    def at(second: int, kind: str, **payload: Any) -> dict[str, Any]:
        return {"timestamp": f"2026-10-10T08:00:{second:02d}.000Z", "type": kind, "payload": payload}

    tokens = {"input_tokens": 100, "cached_input_tokens": 40, "output_tokens": 20, "reasoning_output_tokens": 8}
    info = {"total_token_usage": {**tokens, "total_tokens": 120}, "last_token_usage": tokens}
    git = {"branch": "topic", "repository_url": "git@github.com:acme/widgets.git"}
    meta = {"id": CODEX_ID, "timestamp": "2026-10-10T08:00:00.000Z", "cwd": FOLDER, "cli_version": "0.60.1", "git": git}
    typed = [{"type": "input_text", "text": "Fix the test"}]
    context = [{"type": "input_text", "text": "<environment_context>secret machine facts</environment_context>"}]
    arguments = json.dumps({"command": ["bash", "-lc", "pytest"], "workdir": FOLDER}).decode()
    output = json.dumps({"output": "1 failed", "metadata": {"exit_code": 1}}).decode()
    patch = "*** Begin Patch\n*** Update File: src/app.py\n+x = 1\n*** End Patch"
    return [
        at(0, "session_meta", **meta),
        at(0, "turn_context", cwd=FOLDER, model="gpt-5-codex"),
        at(1, "response_item", type="message", role="user", content=context),
        at(1, "response_item", type="message", role="user", content=typed),
        at(1, "event_msg", type="user_message", message="Fix the test"),
        at(2, "event_msg", type="agent_reasoning", text="I should run it"),
        at(2, "response_item", type="reasoning", summary=[{"type": "summary_text", "text": "I should run it"}]),
        at(3, "response_item", type="function_call", name="shell", arguments=arguments, call_id="c1"),
        at(4, "response_item", type="function_call_output", call_id="c1", output=output),
        at(5, "response_item", type="custom_tool_call", name="apply_patch", input=patch, call_id="c2"),
        at(6, "response_item", type="custom_tool_call_output", call_id="c2", output="Success."),
        at(7, "event_msg", type="agent_message", message="Fixed."),
        at(7, "response_item", type="message", role="assistant", content=[{"type": "output_text", "text": "Fixed."}]),
        at(8, "event_msg", type="token_count", info=info),
        at(9, "event_msg", type="token_count", info=info),
    ]


def write_codex(home: Path, records: Sequence[Any] | None = None) -> Path:
    """A session of Codex."""
    path = home / ".codex" / "sessions" / "2026" / "10" / "10" / f"rollout-2026-10-10T08-00-00-{CODEX_ID}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(records if records is not None else codex_records()))
    return path


def gemini_messages() -> list[dict[str, Any]]:
    """A question and an answer of Gemini with a thought and a tool."""
    response = {"functionResponse": {"id": "t1", "name": "read_file", "response": {"output": "hello"}}}
    call = {"id": "t1", "name": "read_file", "args": {"absolute_path": f"{FOLDER}/a.txt"}, "status": "success"}
    tokens = {"input": 30, "output": 6, "cached": 4, "thoughts": 2, "tool": 0, "total": 38}
    thought = {"subject": "Plan", "description": "Read it", "timestamp": "2026-10-11T09:00:01.000Z"}
    return [
        {"id": "m1", "timestamp": "2026-10-11T09:00:00.000Z", "type": "user", "content": "Read a.txt"},
        {
            "id": "m2",
            "timestamp": "2026-10-11T09:00:02.000Z",
            "type": "gemini",
            "content": "It says hello.",
            "thoughts": [thought],
            "tokens": tokens,
            "model": "gemini-2.5-pro",
            "toolCalls": [{**call, "result": [response]}],
        },
        {"id": "m3", "timestamp": "2026-10-11T09:00:03.000Z", "type": "info", "content": "Update available"},
    ]


def gemini_facts() -> dict[str, Any]:
    """What Gemini notes of a session beside its messages."""
    times = {"startTime": "2026-10-11T09:00:00.000Z", "lastUpdated": "2026-10-11T09:00:03.000Z"}
    return {"sessionId": GEMINI_ID, "projectHash": hashlib.sha256(FOLDER.encode()).hexdigest(), **times}


def write_gemini(home: Path) -> Path:
    """A session of Gemini as one document; the folder's name is a hash of the project's path."""
    slot = home / ".gemini" / "tmp" / hashlib.sha256(FOLDER.encode()).hexdigest()
    path = slot / "chats" / "session-2026-10-11T09-00-33333333.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(json.dumps({**gemini_facts(), "messages": gemini_messages()}))
    (home / ".gemini" / "projects.json").write_bytes(json.dumps({"projects": {FOLDER: "demo"}}))
    return path


def write_gemini_log(home: Path, records: Sequence[Any]) -> Path:
    """A session of Gemini as a log."""
    path = home / ".gemini" / "tmp" / "demo" / "chats" / "session-2026-10-11T09-00-33333333.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(records))
    (path.parent.parent / ".project_root").write_text(FOLDER)
    return path


def cursor_messages() -> list[dict[str, Any]]:
    """Messages of Cursor's command line."""
    call = {"type": "tool-call", "toolCallId": "t1", "toolName": "Shell", "args": {"command": "ls"}}
    result = {"type": "tool-result", "toolCallId": "t1", "toolName": "Shell", "result": "a.txt"}
    query = [{"type": "text", "text": "<user_query>\nWhich files?\n</user_query>"}]
    return [
        {"role": "system", "content": "You are a coding agent"},
        {"role": "user", "content": f"<user_info>\nWorkspace Path: {FOLDER}\n</user_info>"},
        {"role": "user", "content": query},
        {"role": "assistant", "id": "1", "content": [{"type": "reasoning", "text": "Look first"}, call]},
        {"role": "tool", "id": "2", "content": [result]},
        {"role": "assistant", "id": "3", "content": [{"type": "text", "text": "One file."}]},
    ]


def write_cursor_cli(home: Path, *, has_root: bool = True) -> Path:
    """A session of Cursor's command line: blobs by their hash, the root listing them in protobuf."""
    path = (
        home
        / ".cursor"
        / "chats"
        / hashlib.md5(FOLDER.encode(), usedforsecurity=False).hexdigest()
        / CURSOR_ID
        / "store.db"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    bodies = [json.dumps(message) for message in cursor_messages()]
    keys = [hashlib.sha256(body).digest() for body in bodies]
    root = b"".join(b"\x0a\x20" + key for key in keys) + b"\x28\x01"
    facts = {"agentId": CURSOR_ID, "name": "Files", "createdAt": 1_791_500_000_000, "lastUsedModel": "composer-1"}
    if has_root:
        facts["latestRootBlobId"] = hashlib.sha256(root).hexdigest()
    store = sqlite3.connect(path)
    with store:
        store.execute("CREATE TABLE blobs (id TEXT PRIMARY KEY, data BLOB)")
        store.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT)")
        store.execute("INSERT INTO meta VALUES ('0', ?)", [json.dumps(facts).hex()])
        rows = [*zip(keys, bodies, strict=True), (hashlib.sha256(root).digest(), root)]
        store.executemany("INSERT INTO blobs VALUES (?, ?)", [(key.hex(), body) for key, body in rows])
    store.close()
    return path


def write_cursor_ide(home: Path) -> Path:
    """A chat of the Cursor editor, and the window that it belongs to."""
    user = home / ".config" / "Cursor" / "User"
    path = user / "globalStorage" / "state.vscdb"
    path.parent.mkdir(parents=True, exist_ok=True)
    tool = {
        "name": "run_terminal_cmd",
        "toolCallId": "t1",
        "status": "completed",
        "rawArgs": '{"command": "make"}',
        "result": '{"output": "done"}',
    }
    bubbles = [
        {"bubbleId": "b1", "type": 1, "text": "Build it", "createdAt": "2026-10-12T07:00:00.000Z"},
        {"bubbleId": "b2", "type": 2, "thinking": {"text": "make"}, "createdAt": "2026-10-12T07:00:01.000Z"},
        {"bubbleId": "b3", "type": 2, "text": "", "toolFormerData": tool, "createdAt": "2026-10-12T07:00:02.000Z"},
        {
            "bubbleId": "b4",
            "type": 2,
            "text": "Built.",
            "tokenCount": {"inputTokens": 9, "outputTokens": 3},
            "modelInfo": {"modelName": "claude-4-sonnet"},
            "createdAt": "2026-10-12T07:00:03.000Z",
        },
    ]
    chat = {
        "composerId": COMPOSER_ID,
        "name": "Build",
        "createdAt": 1_791_788_400_000,
        "fullConversationHeadersOnly": [{"bubbleId": each["bubbleId"], "type": each["type"]} for each in bubbles],
    }
    _key_values(path, "cursorDiskKV", {f"composerData:{COMPOSER_ID}": chat, "composerData:empty": {"name": "New"}})
    store = sqlite3.connect(path)
    with store:
        keyed = [(f"bubbleId:{COMPOSER_ID}:{each['bubbleId']}", json.dumps(each).decode()) for each in bubbles]
        store.executemany("INSERT INTO cursorDiskKV VALUES (?, ?)", keyed)
    store.close()
    window = user / "workspaceStorage" / "abc"
    window.mkdir(parents=True)
    (window / "workspace.json").write_bytes(json.dumps({"folder": "file:///home/dev/my%20demo"}))
    listed = {"allComposers": [{"composerId": COMPOSER_ID}]}
    _key_values(window / "state.vscdb", "ItemTable", {"composer.composerData": listed})
    return path


def _key_values(path: Path, table: str, rows: dict[str, Any]) -> None:
    store = sqlite3.connect(path)
    with store:
        store.execute(f"CREATE TABLE {table} (key TEXT UNIQUE, value BLOB)")
        texts = [(key, json.dumps(value).decode()) for key, value in rows.items()]
        store.executemany(f"INSERT INTO {table} VALUES (?, ?)", texts)
    store.close()


HISTORY = f"""<!-- Generated by SpecStory, Markdown v2.1.0 -->

# 2026-08-07 13:21:06Z

<!-- Claude Code Session {HISTORY_ID} (2026-08-07 13:21:06Z) -->

_**User (2026-08-07 13:21:06Z)**_

Explain the parser

---

_**Agent (claude-sonnet-4-5 2026-08-07 13:21:12Z)**_

It reads lines.
"""


def write_history(folder: Path, markdown: str = HISTORY, name: str = "2026-08-07_13-21-06Z-explain-the-parser") -> Path:
    """A session in SpecStory's markdown."""
    path = folder / ".specstory" / "history" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown, encoding="utf-8")
    return path


def write_all(home: Path) -> None:
    """One session of every agent."""
    write_claude(home)
    write_codex(home)
    write_gemini(home)
    write_cursor_cli(home)
    write_cursor_ide(home)
    for edition in COPILOT_IDS:
        write_copilot(home, edition)
    write_droid(home)
    write_deepseek(home)
    write_antigravity(home)
    write_history(home)
