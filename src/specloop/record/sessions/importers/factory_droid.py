"""Reads Factory Droid's transcripts: `~/.factory/sessions/<folder>/<session>.jsonl`; the oldest lie without a folder.

Model and tokens of the whole session stand beside it, in `<session>.settings.json`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from specloop.record.sessions.importers.blocks import tell_answer, tell_results
from specloop.record.sessions.importers.conversation import About, Conversation, add_usage
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import child, count, joined, text, without
from specloop.record.sessions.importers.files import found_file, walk
from specloop.record.sessions.importers.lines import read_document, read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_USAGE = {
    "inputTokens": "inputTokens",
    "outputTokens": "outputTokens",
    "cacheCreationInputTokens": "cacheCreationTokens",
    "cacheReadInputTokens": "cacheReadTokens",
    "thinkingTokens": "thinkingTokens",
}
_UNNAMED = "New Session"
_FOR_THE_MODEL = "llm_only"


class FactoryDroid:
    """Droid, the program of Factory."""

    name = "droid"
    agent = "Factory Droid CLI"

    def roots(self, places: Places) -> Iterable[Path]:
        """The store has one place only."""
        return [places.home / ".factory" / "sessions"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every session."""
        for root in self.roots(places):
            yield from self.find_in(root)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Sessions at or below the path; what their settings say counts to their size and time."""
        for file in walk(path, ".jsonl"):
            if "sessions" not in (file.parent.name, file.parent.parent.name):
                continue
            settings = _settings_path(file)
            if found := found_file(self.name, file, *([settings] if os.path.exists(settings) else [])):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word or it is a sub-agent's."""
        lines = read_lines(found.path)
        start = next((record for record in lines.records if record.get("type") == "session_start"), _NO_START)
        if text(start, "callingSessionId"):
            return None
        settings = _settings(found.path)
        session_id = text(start, "id", "sessionId") or found.path.stem
        talk = Conversation(session_id, "droid-cli", self.agent, text(start, "cwd") or None)
        last: Document | None = None
        for record in lines.records:
            last = _tell(talk, record, text(settings, "model")) or last
        if talk.is_empty:
            return None
        if last is not None:
            tokens = child(settings, "tokenUsage")
            add_usage(last, {ours: count(tokens, theirs) for ours, theirs in _USAGE.items()})
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            lines.text,
            session_data=talk.document(),
            cwd=talk.cwd,
            prompt=talk.prompt,
            summary=_title(start),
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=lines.skipped,
        )


_NO_START: Document = {}


def _settings_path(file: Path) -> Path:
    return file.with_suffix(".settings.json")


def _settings(file: Path) -> Document:
    try:
        return read_document(_settings_path(file))[0]
    except UnreadableTranscript:
        return {}


def _title(start: Document) -> str | None:
    title = text(start, "sessionTitle", "title")
    return title if title and title != _UNNAMED else None


def _tell(talk: Conversation, record: Document, model: str) -> Document | None:
    """Tells one record; returns the agent's last message in it."""
    about: About = {"at": record.get("timestamp"), "key": text(record, "id"), "is_sidechain": False}
    message = child(record, "message")
    match (record.get("type"), message.get("role")):
        case ("message", "user"):
            _tell_user(talk, message, about, is_typed=record.get("visibility") != _FOR_THE_MODEL)
            return None
        case ("message", "assistant"):
            return tell_answer(talk, message.get("content"), text(message, "model") or model, about)
        case ("compaction_state", _):  # the program's summary of what came before
            words = text(record, "summaryText") or text(child(record, "summary"), "body")
            return talk.say(words, kind="thinking", model=model, **about)
        case _:
            return None


def _tell_user(talk: Conversation, message: Document, about: About, *, is_typed: bool) -> None:
    content = message.get("content")
    tell_results(talk, content)
    if is_typed and message.get("visibility") != _FOR_THE_MODEL:
        talk.hear(without(joined(content, "text"), "system-reminder").strip(), **about)
