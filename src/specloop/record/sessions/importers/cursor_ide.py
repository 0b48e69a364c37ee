"""Reads the chats of the Cursor editor: `state.vscdb`, table `cursorDiskKV`.

`composerData:<session>` lists a chat's bubbles in order, `bubbleId:<session>:<bubble>` holds each; chats of older
versions hold them inside.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from specloop.kit import json
from specloop.record.sessions.importers.conversation import Conversation, add_usage
from specloop.record.sessions.importers.editors import user_folders, window_folder
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import child, children, count, decoded, json_text, moment, text
from specloop.record.sessions.importers.files import found_file, matching, walk
from specloop.record.sessions.importers.lines import record_of
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places
from specloop.record.sessions.importers.sqlite_store import StoreSnapshot, log_of, opened_store

_CHAT, _BUBBLE = "composerData:", "bubbleId:"
_CHATS = "SELECT substr(key, ?), value FROM cursorDiskKV WHERE key >= ? AND key < ? ORDER BY key"
_SIZE = "octet_length" if sqlite3.sqlite_version_info >= (3, 43) else "length"
"""The newer function need not read what it measures."""
_BUBBLES = f"SELECT key, rowid, {_SIZE}(value) FROM cursorDiskKV WHERE key >= ? AND key < ?"  # noqa: S608 - our own words
_USER, _AGENT = 1, 2
_FAILED = ("error", "failed", "cancelled", "rejected")


class CursorIDE:
    """The Cursor editor."""

    name = "cursoride"
    agent = "Cursor IDE"
    store_name = "state.vscdb"

    def roots(self, places: Places) -> Iterable[Path]:
        """Where the editor keeps its state."""
        return [folder / "globalStorage" for folder in user_folders(places, "Cursor")]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every chat of the editor's store."""
        for root in self.roots(places):
            if os.path.isfile(root / self.store_name):
                yield from self.find_in(root / self.store_name)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """Chats in the stores at or below the path. A store that cannot be listed stands for itself, so that reading
        it reports why; windows keep no chats in theirs."""
        for file in walk(path, self.store_name):
            if "workspaceStorage" in file.parts:
                continue
            log = log_of(file)
            whole = found_file(self.name, file, *([log] if os.path.exists(log) else []))
            if whole is None:
                continue
            try:
                yield from _Store(file).chats(whole)
            except UnreadableTranscript:
                yield whole

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        store = found.store if isinstance(found.store, _Store) else _Store(found.path)
        chat, bubbles, skipped = store.chat(found.key)
        cwd = text(child(child(chat, "workspaceIdentifier"), "uri"), "fsPath") or store.folder_of(found.key)
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
            skipped_lines=skipped,
        )


class _Store:
    """One store as it was when its chats were listed; they are read from the same copy."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._snapshot = StoreSnapshot(path)
        self._folders: dict[str, str] | None = None

    def chats(self, whole: FoundTranscript) -> list[FoundTranscript]:
        """The chats of the store, each with its own size and time, and a digest of what it is made of: the file itself
        changes with every move of the editor's window. A time that is missing is the file's."""
        with self._snapshot.opened() as store:
            bubbles = _bubble_sizes(store)
            rows = store.execute(_CHATS, [len(_CHAT) + 1, _CHAT, "composerData;"])
            return [self._found(whole, key, _bytes(value), bubbles.get(key, {})) for key, value in rows]

    def chat(self, key: str) -> tuple[Document, list[Document], int]:
        """(facts, bubbles in order, how many could not be read) of a chat.

        Raises: UnreadableTranscript when its facts cannot be read.
        """
        with self._snapshot.opened() as store:
            chat = _value(store, _CHAT + key)
            if chat is None:
                raise UnreadableTranscript(f"{self._path}#{key} holds no JSON object")
            headers = children(chat, "fullConversationHeadersOnly")
            read = [(header, _value(store, f"bubbleId:{key}:{text(header, 'bubbleId')}")) for header in headers]
        bubbles = [{**header, **bubble} for header, bubble in read if bubble]
        return chat, bubbles + children(chat, "conversation"), sum(bubble is None for _, bubble in read)

    def folder_of(self, key: str) -> str | None:
        """The folder of the window that a chat belongs to: each window's own store lists its chats."""
        if self._folders is None:
            folders = dict[str, str]()
            for window in matching(self._path.parent.parent / "workspaceStorage", "*/workspace.json"):
                if folder := window_folder(window):
                    for chat in _window_chats(window.with_name("state.vscdb")):
                        folders.setdefault(chat, folder)
            self._folders = folders
        return self._folders.get(key)

    def _found(
        self, whole: FoundTranscript, key: str, value: bytes, bubbles: dict[str, tuple[int, int]]
    ) -> FoundTranscript:
        digest = hashlib.sha256(value)
        for name, (row, size) in sorted(bubbles.items()):
            digest.update(f"\n{name} {row} {size}".encode())
        changed = moment((record_of(value) or {}).get("lastUpdatedAt"))
        return replace(
            whole,
            key=key,
            size=len(value) + sum(size for _, size in bubbles.values()),
            mtime_ns=int(changed.timestamp() * 1e9) if changed else whole.mtime_ns,
            digest=digest.hexdigest(),
            store=self,
        )


def _bubble_sizes(store: sqlite3.Connection) -> dict[str, dict[str, tuple[int, int]]]:
    """(row, size) of each bubble by chat and bubble: a value that is written anew gets another row."""
    sizes = defaultdict[str, dict[str, tuple[int, int]]](dict)
    for key, row, size in store.execute(_BUBBLES, [_BUBBLE, "bubbleId;"]):
        _, chat, *bubble = key.split(":")
        sizes[chat][":".join(bubble)] = (row, size or 0)
    return sizes


def _bytes(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else b""


def _value(store: sqlite3.Connection, key: str, table: str = "cursorDiskKV") -> Document | None:
    """The object under a key, an empty one where there is no such key; None where it cannot be read."""
    row = store.execute(f"SELECT value FROM {table} WHERE key = ?", [key]).fetchone()  # noqa: S608 - our own words
    if row is None or not (body := _bytes(row[0])):
        return {}
    return record_of(body) if body.strip() not in (b"{}", b"null") else {}


def _window_chats(path: Path) -> set[str]:
    if not os.path.isfile(path):
        return set()
    try:
        with opened_store(path) as store:
            listed = _value(store, "composer.composerData", "ItemTable") or {}
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
