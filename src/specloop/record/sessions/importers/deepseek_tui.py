"""Reads DeepSeek TUI's sessions: `~/.deepseek/sessions/<session>.json`, one document each.

Only the session has times and a model; a message has neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from specloop.record.sessions.importers.blocks import tell_answer, tell_results
from specloop.record.sessions.importers.conversation import About, Conversation
from specloop.record.sessions.importers.fields import child, children, joined, text, without
from specloop.record.sessions.importers.files import found_file, walk
from specloop.record.sessions.importers.lines import read_document
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_ABOUT: About = {"at": None, "key": "", "is_sidechain": False}


class DeepSeekTUI:
    """DeepSeek TUI, an open program for DeepSeek's models."""

    name = "deepseek"
    agent = "DeepSeek TUI"

    def roots(self, places: Places) -> Iterable[Path]:
        """The store has one place only."""
        return [places.home / ".deepseek" / "sessions"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every session."""
        for root in self.roots(places):
            yield from self.find_in(root)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Sessions at or below the path. Folders beside them hold a copy of the open one and large results."""
        for file in walk(path, ".json"):
            if file.parent.name == "sessions" and (found := found_file(self.name, file)):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        session, raw = read_document(found.path)
        facts = child(session, "metadata")
        session_id = text(facts, "id") or found.path.stem
        talk = Conversation(session_id, "deepseek-tui", self.agent, text(facts, "workspace") or None)
        for message in children(session, "messages"):
            _tell(talk, message, text(facts, "model"))
        if talk.is_empty:
            return None
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            raw,
            session_data=talk.document(facts.get("created_at"), facts.get("updated_at")),
            cwd=talk.cwd,
            prompt=talk.prompt,
            summary=text(facts, "title") or None,
            models=talk.models,
        )


def _tell(talk: Conversation, message: Document, model: str) -> None:
    content = message.get("content")
    tell_results(talk, content)
    match message.get("role"):
        case "user":
            talk.hear(without(joined(content, "text"), "turn_meta").strip())
        case "assistant":
            tell_answer(talk, content, model, _ABOUT)
        case _:
            return
