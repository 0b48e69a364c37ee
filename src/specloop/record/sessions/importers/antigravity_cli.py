"""Reads Antigravity CLI's transcripts: `brain/<session>/.system_generated/logs/transcript_full.jsonl` in its folder.

A file is a list of numbered steps. A result does not name the call that it answers: its kind and the order tell. What a
command said that went on in the background stands in a file of its own, named for the step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from textwrap import dedent
from typing import Any

from specloop.kit import json
from specloop.record.sessions.importers.conversation import Conversation
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import child, children, count, text, without
from specloop.record.sessions.importers.files import found_file, matching, walk
from specloop.record.sessions.importers.lines import read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_STORE = "antigravity-cli"
_FULL, _SHORT = "transcript_full.jsonl", "transcript.jsonl"
_CONTEXT = ("ADDITIONAL_METADATA", "USER_SETTINGS_CHANGE", "SYSTEM_MESSAGE")
_MODEL = re.compile(r"`Model Selection` from .{1,100}? to (.{1,100}?)\.(?:\s|$)")
_TIMES = re.compile(r"\A(?:\s*(?:Created|Completed) At: [^\n]*\n)+")
_EXIT_CODE = re.compile(r"failed with exit code: (\d{1,9})")
_NO_RESULTS = ("CONVERSATION_HISTORY", "SYSTEM_MESSAGE", "CHECKPOINT")
_RESULT_BY_TOOL = {
    "list_dir": "LIST_DIRECTORY",
    "write_to_file": "CODE_ACTION",
    "replace_file_content": "CODE_ACTION",
    "multi_replace_file_content": "CODE_ACTION",
}
"""The kind of a tool's result where it is not the tool's name."""


class AntigravityCLI:
    """Antigravity in the terminal, the program of Google."""

    name = "antigravity"
    agent = "Antigravity CLI"

    def roots(self, places: Places) -> Iterable[Path]:
        """The store has one place only."""
        return [places.home / ".gemini" / _STORE / "brain"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every session."""
        for root in self.roots(places):
            for logs in matching(root, "*/.system_generated/logs"):
                yield from self.find_in(logs)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Sessions at or below the path; the shortened form of one only where the full one is missing."""
        for file in walk(path, _FULL, _SHORT):
            is_session = file.name == _FULL or (file.name == _SHORT and not os.path.exists(file.with_name(_FULL)))
            if _STORE not in file.parts or not is_session:
                continue
            if found := found_file(self.name, file, *matching(_tasks(file), "task-*.log")):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        lines = read_lines(found.path)
        steps = sorted(lines.records, key=lambda step: count(step, "step_index"))
        folder = found.path.parent.parent.parent
        talk = Conversation(folder.name, "antigravity-cli", self.agent, _workspace(folder) or _first_cwd(steps))
        teller = _Teller(talk, found.path)
        for step in steps:
            teller.tell(step)
        if talk.is_empty:
            return None
        return LocalSession(
            self.name,
            self.agent,
            talk.session_id,
            lines.text,
            session_data=talk.document(),
            cwd=talk.cwd,
            prompt=talk.prompt,
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=lines.skipped,
        )


def _tasks(file: Path) -> Path:
    return file.parent.parent / "tasks"


def _workspace(folder: Path) -> str:
    """The folder that the list of typed prompts names for the session; sessions without a screen are not in it."""
    history = folder.parent.parent / "history.jsonl"
    try:
        return _workspaces(history, history.stat().st_mtime_ns).get(folder.name, "")
    except (OSError, UnreadableTranscript):
        return ""


@lru_cache(maxsize=1)
def _workspaces(history: Path, _changed_at: int) -> dict[str, str]:
    return {text(entry, "conversationId"): text(entry, "workspace") for entry in read_lines(history).records}


def _first_cwd(steps: list[Document]) -> str | None:
    """Where the agent ran its first command."""
    calls = (child(call, "args") for step in steps for call in children(step, "tool_calls"))
    named = (_unwrapped(arguments.get("Cwd")) for arguments in calls)
    return next((cwd for cwd in named if isinstance(cwd, str) and cwd), None)


class _Teller:
    """Tells one transcript to a conversation."""

    def __init__(self, talk: Conversation, path: Path) -> None:
        self._talk = talk
        self._tasks = _tasks(path)
        self._is_short = path.name == _SHORT
        self._model = ""
        self._waiting: dict[str, str] = {}  # the kind of result that each call without one waits for, by its id

    def tell(self, step: Document) -> None:
        match step.get("type"):
            case "USER_INPUT":
                if step.get("source") == "USER_EXPLICIT":
                    self._hear(step)
            case "PLANNER_RESPONSE":
                self._answer(step)
            case str(kind) if kind not in _NO_RESULTS:
                self._result(step, kind)
            case _:
                return

    def _hear(self, step: Document) -> None:
        words = text(step, "content")
        if chosen := _MODEL.search(words):
            self._model = chosen[1].strip()
        _, is_wrapped, rest = words.partition("<USER_REQUEST>")
        typed = rest.partition("</USER_REQUEST>")[0] if is_wrapped else without(words, *_CONTEXT)
        self._talk.hear(typed.strip(), at=step.get("created_at"))
        self._waiting.clear()

    def _answer(self, step: Document) -> None:
        at = step.get("created_at")
        self._talk.say(text(step, "thinking"), kind="thinking", at=at, model=self._model)
        self._talk.say(text(step, "content"), at=at, model=self._model)
        for place, call in enumerate(children(step, "tool_calls")):
            name = text(call, "name")
            use_id = f"{self._talk.session_id}:{count(step, 'step_index')}:{place}"
            arguments = child(call, "args")
            if self._is_short:
                arguments = {key: _unwrapped(value) for key, value in arguments.items()}
            self._talk.call(name, arguments, use_id=use_id, at=at, model=self._model)
            self._waiting[use_id] = _RESULT_BY_TOOL.get(name, name.upper())

    def _result(self, step: Document, kind: str) -> None:
        """A result belongs to the oldest call that brings such ones, else to the oldest call of all."""
        calls = [use_id for use_id, expected in self._waiting.items() if expected == kind] or list(self._waiting)
        if calls:
            del self._waiting[calls[0]]
            self._talk.answer(calls[0], self._output(step, kind))

    def _output(self, step: Document, kind: str) -> Document:
        words = _TIMES.sub("", text(step, "content"))
        words = dedent(words).strip() if kind == "RUN_COMMAND" else words.strip()
        failed = _EXIT_CODE.search(words[:200]) if kind == "RUN_COMMAND" else None
        if step.get("status") == "RUNNING":
            words = "\n\n".join(part for part in (words, self._said_later(step)) if part)
        output: Document = {"content": words, "is_error": step.get("status") == "ERROR" or failed is not None}
        return {**output, "exit_code": int(failed[1])} if failed else output

    def _said_later(self, step: Document) -> str:
        try:
            log = self._tasks / f"task-{count(step, 'step_index')}.log"
            return log.read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return ""


def _unwrapped(value: Any) -> Any:
    """A value that the shortened form wrote as JSON text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
