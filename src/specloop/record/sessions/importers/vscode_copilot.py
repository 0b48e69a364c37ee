"""Reads Copilot's chats in VS Code and its kin: `workspaceStorage/<window>/chatSessions/<session>.json` or `.jsonl`.

The newer form is a log of changes to the same document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from specloop.record.sessions.importers.conversation import Conversation, add_usage
from specloop.record.sessions.importers.copilot_answer import CopilotAnswer
from specloop.record.sessions.importers.editors import path_of, user_folders, window_folder
from specloop.record.sessions.importers.fields import as_document, child, children, count, once, text
from specloop.record.sessions.importers.files import found_file, matching, walk
from specloop.record.sessions.importers.lines import read_document, read_lines
from specloop.record.sessions.importers.model import Document, FoundTranscript, LocalSession, Places
from specloop.record.sessions.importers.mutation_log import replayed

_CHATS = ("chatSessions", "emptyWindowChatSessions")


class VSCodeCopilot:
    """Copilot's chat in one edition of the editor; `editor` is the folder that the edition keeps its data in."""

    def __init__(self, name: str, agent: str, editor: str) -> None:
        self.name = name
        self.agent = agent
        self._editor = editor

    def roots(self, places: Places) -> Iterable[Path]:
        """The folders of all windows, and the one of windows without a folder."""
        for folder in user_folders(places, self._editor):
            yield folder / "workspaceStorage"
            yield folder / "globalStorage" / _CHATS[1]

    def find(self, places: Places) -> Iterator[FoundTranscript]:
        """Every chat of every window."""
        for root in self.roots(places):
            for chats in matching(root, f"*/{_CHATS[0]}") if root.name == "workspaceStorage" else [root]:
                yield from self.find_in(chats)

    def find_in(self, path: Path) -> Iterator[FoundTranscript]:
        """This edition's chats at or below the path."""
        for file in walk(path, ".json", ".jsonl"):
            is_own = file.parent.name in _CHATS and _editor_of(file) == self._editor
            if is_own and (found := found_file(self.name, file)):
                yield found

    def read(self, found: FoundTranscript) -> LocalSession | None:
        """The session; None when nobody typed a word."""
        chat, raw, skipped = _read_log(found.path) if found.path.suffix == ".jsonl" else (*read_document(found.path), 0)
        session_id = text(chat, "sessionId") or found.path.stem
        cwd = window_folder(found.path.parent.parent / "workspace.json") or path_of(text(chat, "workingDirectory"))
        talk = Conversation(session_id, self.name, self.agent, cwd or None, "1.0")
        for request in children(chat, "requests"):
            _tell(talk, request)
        if talk.is_empty:
            return None
        repository = child(chat, "repoData")
        return LocalSession(
            self.name,
            self.agent,
            session_id,
            raw,
            session_data=talk.document(chat.get("creationDate"), chat.get("lastMessageDate")),
            cwd=talk.cwd,
            remote=text(repository, "remoteUrl") or None,
            prompt=talk.prompt,
            summary=text(chat, "customTitle") or None,
            branches=once([text(repository, "localBranch")]),
            models=talk.models,
            started_at=talk.started_at,
            skipped_lines=skipped,
        )


COPILOTS = (
    VSCodeCopilot("copilotide", "VS Code Copilot IDE", "Code"),
    VSCodeCopilot("copilotide-insiders", "VS Code Insiders Copilot IDE", "Code - Insiders"),
    VSCodeCopilot("copilotide-vscodium", "VSCodium Copilot IDE", "VSCodium"),
    VSCodeCopilot("copilotide-vscodium-insiders", "VSCodium Insiders Copilot IDE", "VSCodium - Insiders"),
)
_OTHER_EDITORS = ("Code - Insiders", "VSCodium", "VSCodium - Insiders")


def _editor_of(file: Path) -> str:
    """The edition that a chat is of; VS Code itself for a copy that no longer says so."""
    return next((editor for editor in _OTHER_EDITORS if editor in file.parts), "Code")


def _read_log(path: Path) -> tuple[Document, str, int]:
    lines = read_lines(path)
    return replayed(lines.records), lines.text, lines.skipped


def _tell(talk: Conversation, request: Document) -> None:
    """Tells one turn. Its parts have no times: they are as old as the answer when it was complete."""
    asked = request.get("timestamp")
    typed = request.get("message")
    if not request.get("isSystemInitiated"):
        talk.hear(typed if isinstance(typed, str) else text(as_document(typed), "text"), at=asked)
    answered = child(request, "modelState").get("completedAt") or asked
    last = CopilotAnswer(talk, request, {"at": answered, "key": "", "is_sidechain": False}).tell()
    if last is not None:
        tokens = {"inputTokens": count(request, "promptTokens"), "outputTokens": count(request, "completionTokens")}
        add_usage(last, tokens)
