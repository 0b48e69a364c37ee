"""Reads the chats of Cursor's command line: `~/.cursor/chats/<md5 of the folder>/<session>/store.db`.

One SQLite file per session holds content-addressed blobs: messages as JSON, and a root that lists them in protobuf.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from specloop.kit import json
from specloop.record.sessions.importers.conversation import Conversation
from specloop.record.sessions.importers.editors import path_of
from specloop.record.sessions.importers.fields import as_document, as_list, child, joined, json_text, text
from specloop.record.sessions.importers.files import found_file, walk
from specloop.record.sessions.importers.lines import record_of
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places
from specloop.record.sessions.importers.protobuf import ProtobufError, length_delimited
from specloop.record.sessions.importers.sqlite_store import log_of, opened_store

_MESSAGE_FIELD = 1
_WORKSPACE_FIELD = 9
_QUERY = re.compile(r"<user_query>\s*(.*?)\s*</user_query>", re.DOTALL)
_WORKSPACE = re.compile(r"^Workspace Path: (.+)$", re.MULTILINE)
_CONTEXT = ("<user_info>", "<additional_data>", "<rules>", "<system_reminder>", "<git_status>", "<project_layout>")


class CursorCLI:
    """Cursor in the terminal."""

    name = "cursor"
    agent = "Cursor CLI"

    def roots(self, places: Places) -> Iterable[Path]:
        """The store has one place only."""
        return [places.home / ".cursor" / "chats"]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every chat."""
        for root in self.roots(places):
            yield from self.find_in(root)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Chats at or below the path."""
        for file in walk(path, "store.db"):
            log = log_of(file)
            if found := found_file(self.name, file, *([log] if os.path.exists(log) else [])):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        with opened_store(found.path) as store:
            facts = _facts(store)
            messages, workspace, skipped = _messages(store, text(facts, "latestRootBlobId"))
        session_id = found.path.parent.name
        talk = Conversation(session_id, "cursor", self.agent, workspace)
        model = text(facts, "lastUsedModel")
        for message in messages:
            _tell(talk, message, model if model != "default" else "")
        if talk.is_empty:
            return None
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            "".join(json.dumps(each).decode() + "\n" for each in [facts, *messages]),
            session_data=talk.document(facts.get("createdAt"), found.mtime_ns // 1_000_000),
            cwd=workspace,
            prompt=talk.prompt,
            summary=text(facts, "name") or None,
            models=talk.models,
            skipped_lines=skipped,
        )


def _facts(store: sqlite3.Connection) -> Document:
    """The one row of `meta`: JSON, written as hexadecimal digits."""
    for (value,) in store.execute("SELECT value FROM meta WHERE key = '0'"):
        try:
            return record_of(bytes.fromhex(value) if isinstance(value, str) else _body(value)) or {}
        except ValueError:
            return {}
    return {}


def _messages(store: sqlite3.Connection, root_id: str) -> tuple[list[Document], str | None, int]:
    """(messages in order, folder, how many could not be read). Without a readable root: every message, as it was
    written."""
    root = store.execute("SELECT data FROM blobs WHERE id = ?", [root_id]).fetchone()
    try:
        fields = length_delimited(bytes(root[0])) if root else []
    except ProtobufError:
        fields = []
    ids = [value.hex() for number, value in fields if number == _MESSAGE_FIELD and len(value) == 32]
    rows: Iterable[Any]
    if ids:
        rows = (store.execute("SELECT data FROM blobs WHERE id = ?", [each]).fetchone() for each in ids)
    else:
        rows = store.execute("SELECT data FROM blobs ORDER BY rowid")
    bodies = [body for row in rows if row and (body := _body(row[0])).startswith(b"{")]
    read = [record_of(body) for body in bodies]
    messages = [message for message in read if message and "role" in message]
    named = next((value.decode("utf-8", "replace") for number, value in fields if number == _WORKSPACE_FIELD), None)
    return messages, _folder(named) or _told_folder(messages), read.count(None)


def _body(data: Any) -> bytes:
    return data.encode() if isinstance(data, str) else data if isinstance(data, bytes) else b""


def _folder(address: str | None) -> str | None:
    return path_of(address) or None if address and address.startswith("file://") else address


def _told_folder(messages: list[Document]) -> str | None:
    for message in messages:
        if found := _WORKSPACE.search(joined(message.get("content"), "text")):
            return found[1].strip()
    return None


def _tell(talk: Conversation, message: Document, model: str) -> None:
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else as_list(content)
    key = text(message, "id")
    if message.get("role") == "user":
        talk.hear(_typed(joined(content, "text")), key=key)
        return
    for each in blocks:
        block = as_document(each)
        match (message.get("role"), block.get("type")):
            case ("assistant", "text"):
                talk.say(text(block, "text"), key=key, model=model)
            case ("assistant", "reasoning"):
                talk.say(text(block, "text"), kind="thinking", key=key, model=model)
            case ("assistant", "tool-call"):
                talk.call(
                    text(block, "toolName"),
                    child(block, "args"),
                    use_id=text(block, "toolCallId"),
                    key=key,
                    model=model,
                )
            case ("tool", "tool-result"):
                talk.answer(text(block, "toolCallId"), _output(block))
            case _:
                continue


def _typed(words: str) -> str:
    """What the user typed, without what the program wrapped around it."""
    if found := _QUERY.findall(words):
        return "\n\n".join(found)
    return "" if words.lstrip().startswith(_CONTEXT) else words


def _output(block: Document) -> Document:
    result = block.get("result")
    words = result if isinstance(result, str) else joined(as_list(result)) or json_text(result)
    return {"content": words, "is_error": bool(block.get("isError"))}
