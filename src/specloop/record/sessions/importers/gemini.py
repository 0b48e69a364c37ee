"""Reads Gemini CLI's transcripts: `~/.gemini/tmp/<project>/chats/session-*.json`, and the same as JSON lines.

The newer form is a log: a message stands there again whenever it changed, and going back is a record of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from specloop.kit import json
from specloop.record.sessions.importers.conversation import Conversation, add_usage
from specloop.record.sessions.importers.fields import as_document, as_list, child, children, count, joined, text
from specloop.record.sessions.importers.files import found_file, matching, walk
from specloop.record.sessions.importers.lines import read_document, read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places

_USAGE = {
    "inputTokens": "input",
    "outputTokens": "output",
    "cachedTokens": "cached",
    "thoughtTokens": "thoughts",
    "toolTokens": "tool",
}


class GeminiCLI:
    """Gemini CLI, the program of Google."""

    name = "gemini"
    agent = "Gemini CLI"

    def roots(self, places: Places) -> Iterable[Path]:
        """`GEMINI_CLI_HOME` moves the home."""
        moved = places.environment.get("GEMINI_CLI_HOME")
        return [(Path(moved) if moved else places.home) / ".gemini" / "tmp"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every chat of every project."""
        for root in self.roots(places):
            for chats in matching(root, "*/chats"):
                yield from self.find_in(chats)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Chats at or below the path."""
        for file in walk(path, ".json", ".jsonl"):
            if file.name.startswith("session-") and (found := found_file(self.name, file)):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word or it is a sub-agent's."""
        chat, raw, skipped = _read_log(found.path) if found.path.suffix == ".jsonl" else (*read_document(found.path), 0)
        if chat.get("kind") == "subagent":
            return None
        session_id = text(chat, "sessionId") or found.path.stem
        talk = Conversation(session_id, "gemini-cli", self.agent, _project_folder(found.path, chat))
        for message in children(chat, "messages"):
            _tell(talk, message)
        if talk.is_empty:
            return None
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            raw,
            session_data=talk.document(chat.get("startTime"), chat.get("lastUpdated")),
            cwd=talk.cwd,
            prompt=talk.prompt,
            summary=text(chat, "summary") or None,
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=skipped,
        )


def _read_log(path: Path) -> tuple[Document, str, int]:
    lines = read_lines(path)
    facts: Document = {}
    messages: dict[str, Document] = {}
    for record in lines.records:
        back_to = text(record, "$rewindTo")
        if back_to:
            _go_back(messages, back_to)
        elif "id" in record and "type" in record:
            messages[str(record["id"])] = record
        else:
            patch = child(record, "$set") or record
            facts |= {name: value for name, value in patch.items() if name != "messages"}
            for message in children(patch, "messages"):  # what compression dropped for the model was said all the same
                messages.setdefault(text(message, "id"), message)
    return {**facts, "messages": list(messages.values())}, lines.text, lines.skipped


def _go_back(messages: dict[str, Document], key: str) -> None:
    """The user took back this message and all later ones."""
    keys = list(messages)
    for gone in keys[keys.index(key) :] if key in messages else []:
        del messages[gone]


def _project_folder(path: Path, chat: Document) -> str | None:
    """Where the agent worked: noted beside the chats, listed by name or by hash of the path, or in the chat itself."""
    slot = path.parent.parent
    try:
        return (slot / ".project_root").read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        pass
    for folder, name in _listed_projects(slot.parent.parent / "projects.json").items():
        if slot.name in (name, hashlib.sha256(folder.encode()).hexdigest()):
            return folder
    return next((each for each in as_list(chat.get("directories")) if isinstance(each, str)), None)


def _listed_projects(path: Path) -> Document:
    try:
        return child(as_document(json.loads(path.read_bytes())), "projects")
    except (OSError, json.JSONDecodeError):
        return {}


def _tell(talk: Conversation, message: Document) -> None:
    at, key = message.get("timestamp"), text(message, "id")
    words = joined(message.get("displayContent") or message.get("content"))
    if message.get("type") == "user":
        talk.hear(words, at=at, key=key)
        return
    if message.get("type") != "gemini":
        return
    model = text(message, "model")
    last: Document | None = None
    for thought in children(message, "thoughts"):
        said = "\n\n".join(part for name in ("subject", "description") if (part := text(thought, name)))
        last = talk.say(said, kind="thinking", at=thought.get("timestamp") or at, key=key, model=model) or last
    last = talk.say(words, at=at, key=key, model=model) or last
    for call in children(message, "toolCalls"):
        use_id = text(call, "id")
        last = talk.call(
            text(call, "name"), child(call, "args"), use_id=use_id, at=call.get("timestamp") or at, key=key, model=model
        )
        last["tool"]["output"] = _output(call)
    if last is not None:
        tokens = child(message, "tokens")
        add_usage(last, {ours: count(tokens, theirs) for ours, theirs in _USAGE.items()})


def _output(call: Document) -> Document:
    said = [child(child(part, "functionResponse"), "response") for part in children(call, "result")]
    words = "\n\n".join(word for each in said if (word := text(each, "output", "error", "content")))
    failed = text(call, "status") in ("error", "cancelled") or any("error" in each for each in said)
    return {"content": words or _display(call.get("resultDisplay")), "is_error": failed}


def _display(value: Any) -> str:
    return value if isinstance(value, str) else text(as_document(value), "fileDiff", "content")
