"""Reads Codex CLI's transcripts: `~/.codex/sessions/**/rollout-*.jsonl` (specstory.md §8.4).

Words stand there twice, as events for the screen and as items for the model; each kind is taken from one place only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from specloop.record.sessions.importers.conversation import Conversation, add_usage
from specloop.record.sessions.importers.fields import (
    as_document,
    as_list,
    child,
    children,
    count,
    decoded,
    joined,
    once,
    text,
)
from specloop.record.sessions.importers.files import found_file, walk
from specloop.record.sessions.importers.lines import read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_SESSION_IN_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$")
_EXIT_CODE = re.compile(r"^(?:Exit code:|Process exited with code) (-?\d+)", re.MULTILINE)
_CONTEXT = "<environment_context>"
_TOLD_CWD = re.compile(r"<cwd>([^<\n]+)</cwd>|^\s*Current working directory: (.+)$", re.MULTILINE)
_NOT_TYPED = (_CONTEXT, "<user_instructions>", "<INSTRUCTIONS>", "# AGENTS.md", "<permissions")
_USAGE = {
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "cachedInputTokens": "cached_input_tokens",
    "reasoningOutputTokens": "reasoning_output_tokens",
}


class CodexCLI:
    """Codex, the program of OpenAI."""

    name = "codex"
    agent = "Codex CLI"

    def roots(self, places: Places) -> Iterable[Path]:
        """`CODEX_HOME` moves the store."""
        moved = places.environment.get("CODEX_HOME")
        home = Path(moved) if moved else places.home / ".codex"
        return [home / "sessions", home / "archived_sessions"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every rollout."""
        for root in self.roots(places):
            yield from self.find_in(root)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Rollouts at or below the path."""
        for file in walk(path, ".jsonl"):
            if file.name.startswith("rollout-") and (found := found_file(self.name, file)):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        lines = read_lines(found.path)
        items = [_item(record) for record in lines.records]
        meta = next((payload for kind, payload, _ in items if kind == "session_meta"), NO_FACTS)
        session_id = text(meta, "id", "session_id") or _named(found.path)
        talk = Conversation(session_id, "codex-cli", self.agent, _cwd(items), text(meta, "cli_version") or "unknown")
        _Teller(talk, items).tell()
        if talk.is_empty:
            return None
        git = child(meta, "git")
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            lines.text,
            session_data=talk.document(created_at=meta.get("timestamp")),
            cwd=talk.cwd,
            remote=text(git, "repository_url") or None,
            prompt=talk.prompt,
            branches=once([text(git, "branch")]),
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=lines.skipped,
        )


NO_FACTS: Document = {}
Item = tuple[str, Document, Any]
"""(kind of record, payload, time)."""


def _item(record: Document) -> Item:
    """A record of any age: the oldest ones stand without an envelope, the first of them being the session's facts."""
    if "payload" in record:
        return text(record, "type"), child(record, "payload"), record.get("timestamp")
    if "type" not in record and "id" in record:
        return "session_meta", record, record.get("timestamp")
    return "response_item", record, record.get("timestamp")


def _named(path: Path) -> str:
    found = _SESSION_IN_NAME.search(path.name)
    return found[1] if found else path.stem


def _cwd(items: list[Item]) -> str | None:
    """Where the agent worked: a fact of the session or of a turn; the oldest programs told it to the model only."""
    facts = (payload for kind, payload, _ in items if kind in ("session_meta", "turn_context"))
    return next((cwd for payload in facts if (cwd := text(payload, "cwd"))), None) or _told_cwd(items)


def _told_cwd(items: list[Item]) -> str | None:
    for kind, payload, _ in items:
        if kind == "response_item" and payload.get("role") == "user":
            words = joined(payload.get("content"), "input_text", "text")
            if words.lstrip().startswith(_CONTEXT) and (found := _TOLD_CWD.search(words)):
                return (found[1] or found[2]).strip()
    return None


class _Teller:
    """Tells one rollout to a conversation."""

    def __init__(self, talk: Conversation, items: list[Item]) -> None:
        self._talk = talk
        self._items = items
        kinds = {(kind, text(payload, "type"), text(payload, "role")) for kind, payload, _ in items}
        self._hears_events = ("event_msg", "user_message", "") in kinds
        self._says_events = ("response_item", "message", "assistant") not in kinds
        self._thinks_events = ("response_item", "reasoning", "") not in kinds
        self._model = ""
        self._counted: Document = {}
        self._unplaced = dict[str, int]()

    def tell(self) -> None:
        for kind, payload, at in self._items:
            match kind:
                case "turn_context":
                    self._model = text(payload, "model") or self._model
                case "event_msg":
                    self._event(payload, at)
                case "response_item":
                    self._response(payload, at)
                case _:
                    continue

    def _event(self, payload: Document, at: Any) -> None:
        match text(payload, "type"):
            case "user_message":
                self._talk.hear(text(payload, "message"), at=at)
            case "agent_message" if self._says_events:
                self._place(self._talk.say(text(payload, "message"), at=at, model=self._model))
            case "agent_reasoning" if self._thinks_events:
                self._place(self._talk.say(text(payload, "text"), kind="thinking", at=at, model=self._model))
            case "token_count":
                self._count(child(payload, "info"))
            case _:
                return

    def _response(self, payload: Document, at: Any) -> None:
        match text(payload, "type"):
            case "message":
                self._message(payload, at)
            case "reasoning":
                thought = "\n\n".join(text(part, "text") for part in children(payload, "summary"))
                self._place(self._talk.say(thought, kind="thinking", at=at, model=self._model))
            case "function_call" | "custom_tool_call":
                arguments = decoded(payload.get("arguments", payload.get("input")))
                self._call(text(payload, "name"), arguments, payload, at)
            case "local_shell_call":
                self._call("local_shell", child(payload, "action"), payload, at)
            case "web_search_call":
                self._call("web_search", child(payload, "action"), payload, at)
            case "function_call_output" | "custom_tool_call_output":
                self._talk.answer(text(payload, "call_id"), _output(payload.get("output")))
            case _:
                return

    def _message(self, payload: Document, at: Any) -> None:
        words = joined(payload.get("content"), "input_text", "output_text", "text")
        if payload.get("role") == "assistant":
            self._place(self._talk.say(words, at=at, key=text(payload, "id"), model=self._model))
        elif payload.get("role") == "user" and not self._hears_events and not words.lstrip().startswith(_NOT_TYPED):
            self._talk.hear(words, at=at, key=text(payload, "id"))

    def _call(self, name: str, arguments: Document, payload: Document, at: Any) -> None:
        use_id = text(payload, "call_id", "id")
        self._place(self._talk.call(name, arguments, use_id=use_id, at=at, model=self._model))

    def _count(self, info: Document) -> None:
        """Tokens belong to the answer before them. The same count is sent again whenever a limit is shown."""
        total = child(info, "total_token_usage")
        if total and total == self._counted:
            return
        self._counted = total
        last = child(info, "last_token_usage")
        usage = {ours: count(last, theirs) for ours, theirs in _USAGE.items()}
        if (message := self._talk.last_answer()) is not None:
            add_usage(message, usage)
        else:
            self._unplaced = {name: self._unplaced.get(name, 0) + tokens for name, tokens in usage.items()}

    def _place(self, message: Document | None) -> None:
        if message is not None and self._unplaced:
            add_usage(message, self._unplaced)
            self._unplaced = {}


def _output(value: Any) -> Document:
    """A result: text, JSON text with the exit code beside it, or blocks."""
    said = decoded(value) if isinstance(value, str) and value.startswith("{") else as_document(value)
    words = text(said, "output", "content") or (value if isinstance(value, str) else joined(as_list(value)))
    code = child(said, "metadata").get("exit_code")
    if code is None and (found := _EXIT_CODE.search(words[:200])):
        code = int(found[1])
    failed = bool(code) or said.get("success") is False
    return {"content": words, "is_error": failed, **({"exit_code": code} if isinstance(code, int) else {})}
