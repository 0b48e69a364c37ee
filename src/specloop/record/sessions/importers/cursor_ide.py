"""Reads the chats of the Cursor editor: `state.vscdb`, table `cursorDiskKV`.

`composerData:<session>` lists a chat's bubbles in order, `bubbleId:<session>:<bubble>` holds each; chats of older
versions hold them inside.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from specloop.kit import json
from specloop.record.sessions.importers.conversation import Conversation, add_usage
from specloop.record.sessions.importers.editors import user_folders, window_folder
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import as_document, child, children, count, decoded, json_text, text
from specloop.record.sessions.importers.files import found_file, walk
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places
from specloop.record.sessions.importers.sqlite_store import log_of, opened_store

_CHAT = "composerData:"
_USER, _AGENT = 1, 2
_FAILED = ("error", "failed", "cancelled", "rejected")


class CursorIDE:
    """The Cursor editor."""

    name = "cursoride"
    agent = "Cursor IDE"

    def roots(self, places: Places) -> Iterable[Path]:
        """Where the editor keeps its state."""
        return [folder / "globalStorage" for folder in user_folders(places, "Cursor")]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every chat of the editor's store."""
        for root in self.roots(places):
            if (root / "state.vscdb").is_file():
                yield from self.find_in(root / "state.vscdb")

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Chats in the stores at or below the path. A store that cannot be listed stands for itself, so that reading
        it reports why; windows keep no chats in theirs."""
        for file in walk(path, "state.vscdb"):
            if "workspaceStorage" in file.parts:
                continue
            log = log_of(file)
            parts = [log] if log.exists() else []
            try:
                keys = _chat_ids(file)
            except UnreadableTranscript:
                keys = [""]
            yield from (found for key in keys if (found := found_file(self.name, file, *parts, key=key)))

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        with opened_store(found.path) as store:
            chat = _value(store, _CHAT + found.key)
            bubbles = list(_bubbles(store, found.key, chat))
        cwd = text(child(child(chat, "workspaceIdentifier"), "uri"), "fsPath") or _folder_of(found)
        talk = Conversation(found.key, "cursoride", self.agent, cwd or None)
        model = text(child(chat, "modelConfig"), "modelName")
        for bubble in bubbles:
            _tell(talk, bubble, model if model != "default" else "")
        if talk.is_empty:
            return None
        return LocalSession(
            self.name,
            self.agent,
            found.key,
            json.dumps({"composer": chat, "bubbles": bubbles}).decode(),
            session_data=talk.document(chat.get("createdAt"), chat.get("lastUpdatedAt")),
            cwd=cwd or None,
            prompt=talk.prompt,
            summary=text(chat, "name") or None,
            models=talk.models,
            started_at=talk.started_at,
        )


def _chat_ids(path: Path) -> list[str]:
    query = "SELECT substr(key, ?) FROM cursorDiskKV WHERE key >= ? AND key < ? ORDER BY key"
    with opened_store(path) as store:
        return [row[0] for row in store.execute(query, [len(_CHAT) + 1, _CHAT, "composerData;"])]


def _value(store: sqlite3.Connection, key: str, table: str = "cursorDiskKV") -> Document:
    row = store.execute(f"SELECT value FROM {table} WHERE key = ?", [key]).fetchone()  # noqa: S608 - our own words
    if row is None or row[0] is None:
        return {}
    try:
        return as_document(json.loads(row[0]))
    except json.JSONDecodeError:
        return {}


def _bubbles(store: sqlite3.Connection, key: str, chat: Document) -> Iterator[Document]:
    for header in children(chat, "fullConversationHeadersOnly"):
        if bubble := _value(store, f"bubbleId:{key}:{text(header, 'bubbleId')}"):
            yield {**header, **bubble}
    yield from children(chat, "conversation")


def _folder_of(found: FoundTranscript) -> str | None:
    """The folder of the window that the chat belongs to: each window's own store lists its chats."""
    for window in sorted((found.path.parent.parent / "workspaceStorage").glob("*/workspace.json")):
        if found.key in _window_chats(window.with_name("state.vscdb")):
            return window_folder(window)
    return None


def _window_chats(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    try:
        with opened_store(path) as store:
            listed = _value(store, "composer.composerData", "ItemTable")
    except UnreadableTranscript:
        return set()
    return {text(chat, "composerId") for chat in children(listed, "allComposers")}


def _tell(talk: Conversation, bubble: Document, model: str) -> None:
    timing = child(bubble, "timingInfo")
    at = bubble.get("createdAt") or timing.get("clientRpcSendTime") or timing.get("clientStartTime")
    key = text(bubble, "bubbleId")
    if bubble.get("type") == _USER:
        talk.hear(text(bubble, "text"), at=at, key=key)
        return
    if bubble.get("type") != _AGENT:
        return
    model = text(child(bubble, "modelInfo"), "modelName") or model
    last = talk.say(text(child(bubble, "thinking"), "text"), kind="thinking", at=at, key=key, model=model)
    last = talk.say(text(bubble, "text"), at=at, key=key, model=model) or last
    if tool := child(bubble, "toolFormerData"):
        last = _tell_tool(talk, tool, at, key, model)
    if last is not None:
        tokens = child(bubble, "tokenCount")
        add_usage(last, {name: count(tokens, name) for name in ("inputTokens", "outputTokens")})


def _tell_tool(talk: Conversation, tool: Document, at: Any, key: str, model: str) -> Document:
    arguments = decoded(tool.get("rawArgs")) or decoded(tool.get("params"))
    name = text(tool, "name") or str(tool.get("tool", ""))
    message = talk.call(name, arguments, use_id=text(tool, "toolCallId"), at=at, key=key, model=model)
    result = tool.get("result")
    words = result if isinstance(result, str) else json_text(result) if result is not None else ""
    message["tool"]["output"] = {"content": words, "is_error": text(tool, "status") in _FAILED}
    return message
