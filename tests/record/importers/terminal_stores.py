"""Small transcripts of Factory Droid, DeepSeek TUI and Antigravity, written into a home folder as they would."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from specloop.kit import json
from tests.record.importers.store_files import FOLDER, lines, put

DROID_ID = "88888888-9999-4aaa-8bbb-cccccccccccc"
DEEPSEEK_ID = "99999999-aaaa-4bbb-8ccc-dddddddddddd"
ANTIGRAVITY_ID = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def droid_message(second: int, role: str, *content: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One message of Droid."""
    at = f"2026-10-14T06:00:{second:02d}.000Z"
    message = {"role": role, "content": list(content)}
    return {"type": "message", "id": f"m{second}", "timestamp": at, "message": message, **more}


def droid_records() -> list[dict[str, Any]]:
    """A session of Droid: a question, a thought, a command with its result, an answer, a summary."""
    reminder = "<system-reminder>\nHouse rules\n</system-reminder>"
    call = {"type": "tool_use", "id": "toolu_1", "name": "Execute", "input": {"command": "ls", "riskLevel": "low"}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "a.txt", "is_error": False}
    todos = {"todos": "1. [completed] Look"}
    return [
        {"type": "session_start", "id": DROID_ID, "title": "New Session", "owner": "dev", "version": 2, "cwd": FOLDER},
        droid_message(1, "user", {"type": "text", "text": "Be brief"}, visibility="llm_only"),
        droid_message(2, "user", {"type": "text", "text": reminder}, {"type": "text", "text": "Which files?"}),
        droid_message(
            3, "assistant", {"type": "thinking", "signature": "c2ln", "thinking": "Look first"}, call, parentId="m2"
        ),
        droid_message(4, "user", result),
        {"type": "todo_state", "id": "t5", "timestamp": "2026-10-14T06:00:05.000Z", "todos": todos},
        droid_message(6, "assistant", {"type": "text", "text": "One file."}),
        {
            "type": "compaction_state",
            "id": "c7",
            "timestamp": "2026-10-14T06:00:07.000Z",
            "summaryText": "The user asked for files.",
        },
    ]


def write_droid(home: Path, records: Sequence[Any] | None = None, settings: Any = None) -> Path:
    """A session of Droid with the settings beside it."""
    path = home / ".factory" / "sessions" / "-home-dev-demo" / f"{DROID_ID}.jsonl"
    tokens = {"inputTokens": 11, "outputTokens": 12, "cacheCreationTokens": 13, "cacheReadTokens": 14}
    usual = {"model": "claude-opus-4-5", "tokenUsage": {**tokens, "thinkingTokens": 15}}
    put(path.with_suffix(".settings.json"), json.dumps(settings if settings is not None else usual))
    return put(path, lines(records if records is not None else droid_records()))


def deepseek_messages() -> list[dict[str, Any]]:
    """Messages of DeepSeek TUI: two calls at once, their results in the user's name."""
    meta = {"type": "text", "text": "<turn_meta>\nToday is Thursday\n</turn_meta>"}
    read = {"type": "tool_use", "id": "c1", "name": "read_file", "input": {"path": f"{FOLDER}/a.txt"}}
    shell = {"type": "tool_use", "id": "c2", "name": "exec_shell", "input": {"command": "make"}}
    results = [
        {"type": "tool_result", "tool_use_id": "c2", "content": "no rule", "is_error": True},
        {"type": "tool_result", "tool_use_id": "c1", "content": "hello"},
    ]
    return [
        {"role": "user", "content": [{"type": "text", "text": "Read and build"}, meta]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "Both at once"}, read, shell]},
        {"role": "user", "content": results},
        {"role": "assistant", "content": [{"type": "text", "text": "It says hello; there is no rule."}]},
        {"role": "user", "content": [{"type": "text", "text": "Thanks"}]},
    ]


def deepseek_session(messages: Sequence[Any]) -> dict[str, Any]:
    """The document of a session of DeepSeek TUI."""
    facts = {
        "id": DEEPSEEK_ID,
        "title": "Read and build",
        "created_at": "2026-10-15T05:00:00.123456789Z",
        "updated_at": "2026-10-15T05:10:00Z",
        "message_count": len(messages),
        "total_tokens": 4321,
        "model": "deepseek-v4-pro",
        "workspace": FOLDER,
        "mode": "agent",
    }
    return {"schema_version": 1, "metadata": facts, "messages": list(messages), "system_prompt": "You are an agent"}


def write_deepseek(home: Path, messages: Sequence[Any] | None = None) -> Path:
    """A session of DeepSeek TUI, and what the program keeps in folders beside it."""
    sessions = home / ".deepseek" / "sessions"
    body = json.dumps(deepseek_session(messages if messages is not None else deepseek_messages()))
    put(sessions / "checkpoints" / "latest.json", body)
    put(sessions / DEEPSEEK_ID / "artifacts" / "big.json", b'{"output": "much"}')
    return put(sessions / f"{DEEPSEEK_ID}.json", body)


def antigravity_step(index: int, source: str, kind: str, content: str = "", **more: Any) -> dict[str, Any]:
    """One step of Antigravity."""
    step = {"step_index": index, "source": source, "type": kind, "status": "DONE"}
    return {**step, "created_at": f"2026-10-16T04:00:{index:02d}Z", "content": content, **more}


def antigravity_steps() -> list[dict[str, Any]]:
    """A session of Antigravity: two calls whose results come in the other order, a command that fails."""
    typed = "<USER_REQUEST>\nBuild it\n</USER_REQUEST>\n<ADDITIONAL_METADATA>\nlocal time\n</ADDITIONAL_METADATA>"
    chosen = "The user changed setting `Model Selection` from None to Gemini 3.5 Flash (High). Act on it."
    view = {"name": "view_file", "args": {"AbsolutePath": f"{FOLDER}/Makefile", "toolAction": "Reading"}}
    run = {"name": "run_command", "args": {"CommandLine": "make", "Cwd": FOLDER, "WaitMsBeforeAsync": 5000}}
    times = "Created At: 2026-10-16T04:00:03Z\nCompleted At: 2026-10-16T04:00:04Z\n\n"
    failed = times + "\t\tThe command failed with exit code: 2\n\t\tOutput:\n\t\tall:\n\t\t\tno rule"
    settings = f"<USER_SETTINGS_CHANGE>\n{chosen}\n</USER_SETTINGS_CHANGE>"
    return [
        antigravity_step(0, "USER_EXPLICIT", "USER_INPUT", f"{typed}\n{settings}"),
        antigravity_step(1, "SYSTEM", "CONVERSATION_HISTORY"),
        antigravity_step(2, "MODEL", "PLANNER_RESPONSE", thinking="Look and try", tool_calls=[view, run]),
        antigravity_step(3, "MODEL", "RUN_COMMAND", failed),
        antigravity_step(5, "SYSTEM", "CHECKPOINT", "{{ CHECKPOINT 1 }} The earlier parts have been truncated"),
        antigravity_step(6, "MODEL", "VIEW_FILE", f"{times}1: all:"),
        antigravity_step(7, "MODEL", "PLANNER_RESPONSE", "There is no rule."),
    ]


def write_antigravity(
    home: Path, steps: Sequence[Any] | None = None, *, name: str = "transcript_full.jsonl", workspace: str = FOLDER
) -> Path:
    """A session of Antigravity and the list of typed prompts, whose first line knows no session yet."""
    store = home / ".gemini" / "antigravity-cli"
    typed = {"display": "Build it", "timestamp": 1_792_123_200_000, "workspace": workspace}
    put(store / "history.jsonl", lines([typed, {**typed, "conversationId": ANTIGRAVITY_ID}] if workspace else []))
    path = store / "brain" / ANTIGRAVITY_ID / ".system_generated" / "logs" / name
    return put(path, lines(steps if steps is not None else antigravity_steps()))
