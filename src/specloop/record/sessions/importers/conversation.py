"""Builds a SessionData document (specstory.md §7.1) from what was said, in order. Knows no agent's format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict

from specloop.kit.clock import format_time
from specloop.record.sessions.importers.fields import as_document, as_list, moment, once, text, time_text
from specloop.record.sessions.importers.model import Document
from specloop.record.sessions.importers.tools import kind_of, path_hints

SLUG_WORDS = 4
TITLE_CHARACTERS = 100
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


class About(TypedDict):
    """What is the same for all messages made of one record."""

    at: Any
    key: str
    is_sidechain: bool


@dataclass(slots=True)
class Conversation:
    """The exchanges so far: each is one turn of the user and everything until the next one."""

    session_id: str
    provider_id: str
    provider_name: str
    cwd: str | None = None
    provider_version: str = "unknown"
    _exchanges: list[Document] = field(default_factory=list[Document])
    _calls: dict[str, Document] = field(default_factory=dict[str, Document])
    _first_words: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether no user has said a word: a warm-up, or an aborted start."""
        return not self._first_words

    @property
    def prompt(self) -> str:
        """What the user said first."""
        return self._first_words

    @property
    def models(self) -> tuple[str, ...]:
        """The models that answered, in order of appearance."""
        return once(text(message, "model") for message in self._messages())

    @property
    def started_at(self) -> datetime | None:
        """When the first message was said."""
        return next((said for message in self._messages() if (said := moment(message.get("timestamp")))), None)

    def hear(self, words: str, *, at: Any = None, key: str = "", is_sidechain: bool = False) -> None:
        """The user says something; outside a sidechain that begins an exchange."""
        if not words.strip():
            return
        if not is_sidechain:
            self._exchanges.append({"exchangeId": f"{self.session_id}:{len(self._exchanges)}", "messages": []})
            self._first_words = self._first_words or words
        self._add(_message("user", key, at, content=[{"type": "text", "text": words}]), is_sidechain)

    def say(
        self,
        words: str,
        *,
        kind: str = "text",
        at: Any = None,
        key: str = "",
        model: str = "",
        is_sidechain: bool = False,
    ) -> Document | None:
        """The agent says or thinks something; returns the message, None for empty words."""
        if not words.strip():
            return None
        message = _message("agent", key, at, model, content=[{"type": kind, "text": words}])
        return self._add(message, is_sidechain)

    def call(
        self,
        name: str,
        tool_input: Document,
        *,
        use_id: str = "",
        at: Any = None,
        key: str = "",
        model: str = "",
        is_sidechain: bool = False,
    ) -> Document:
        """The agent calls a tool; its result may come later. Returns the message."""
        tool: Document = {"name": name or "unknown", "type": kind_of(name)}
        if use_id:
            tool["useId"] = use_id
        tool["input"] = tool_input
        message = _message("agent", key, at, model, tool=tool)
        if hints := path_hints(tool_input, self.cwd):
            message["pathHints"] = hints
        if use_id:
            self._calls[use_id] = message
        return self._add(message, is_sidechain)

    def answer(self, use_id: str, output: Document) -> bool:
        """A tool's result; False when nothing asked for it."""
        message = self._calls.get(use_id)
        if message is None:
            return False
        message["tool"]["output"] = output
        return True

    def last_answer(self) -> Document | None:
        """The newest message of the agent in the exchange that is open."""
        messages: list[Document] = self._exchanges[-1]["messages"] if self._exchanges else []
        return next((message for message in reversed(messages) if message["role"] == "agent"), None)

    def document(self, created_at: Any = None, updated_at: Any = None) -> Document:
        """The SessionData document."""
        for exchange in self._exchanges:
            _set_times(exchange)
        times = sorted(at for message in self._messages() if (at := moment(message.get("timestamp"))))
        created = time_text(created_at) or (format_time(times[0]) if times else "")
        updated = (format_time(times[-1]) if times else "") or time_text(updated_at) or created
        return {
            "schemaVersion": "1.0",
            "provider": {"id": self.provider_id, "name": self.provider_name, "version": self.provider_version},
            "sessionId": self.session_id,
            "createdAt": created,
            "updatedAt": updated,
            "slug": slug_of(self._first_words),
            "workspaceRoot": self.cwd or "",
            "exchanges": self._exchanges,
        }

    def _messages(self) -> list[Document]:
        return [message for exchange in self._exchanges for message in exchange["messages"]]

    def _add(self, message: Document, is_sidechain: bool) -> Document:
        if is_sidechain:
            message["metadata"] = {"isSidechain": True}
        if not self._exchanges:
            self._exchanges.append({"exchangeId": f"{self.session_id}:0", "messages": []})
        self._exchanges[-1]["messages"].append(message)
        return message


def title_of(words: str) -> str:
    """The first words of a session in one line of about 100 characters (specstory.md §1.2)."""
    line = " ".join(words.split())
    return line if len(line) <= TITLE_CHARACTERS else line[:TITLE_CHARACTERS].rstrip() + "..."


def slug_of(words: str) -> str:
    """The first four words, for a file name."""
    return "-".join(_WORD.findall(words.lower().replace("'", ""))[:SLUG_WORDS])


def add_usage(message: Document, usage: dict[str, int]) -> None:
    """Count tokens on a message, on top of what stands there; zeros are left out (specstory.md §7.1)."""
    known = as_document(message.get("usage"))
    total = {name: known.get(name, 0) + usage.get(name, 0) for name in (*known, *usage)}
    if counted := {name: tokens for name, tokens in total.items() if tokens}:
        message["usage"] = counted


def _message(role: str, key: str, at: Any, model: str = "", **more: Any) -> Document:
    message: Document = {"id": key} if key else {}
    if said := time_text(at):
        message["timestamp"] = said
    message["role"] = role
    if model:
        message["model"] = model
    return {**message, **more}


def _set_times(exchange: Document) -> None:
    times = [at for each in as_list(exchange["messages"]) if (at := text(as_document(each), "timestamp"))]
    if times:
        exchange["startTime"], exchange["endTime"] = min(times), max(times)
