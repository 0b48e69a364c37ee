"""The sources that are read, and finding transcripts in all of them without reading any."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from specloop.record.sessions.importers.antigravity_cli import AntigravityCLI
from specloop.record.sessions.importers.claude_code import ClaudeCode
from specloop.record.sessions.importers.codex import CodexCLI
from specloop.record.sessions.importers.cursor_cli import CursorCLI
from specloop.record.sessions.importers.cursor_ide import CursorIDE
from specloop.record.sessions.importers.deepseek_tui import DeepSeekTUI
from specloop.record.sessions.importers.factory_droid import FactoryDroid
from specloop.record.sessions.importers.files import closed
from specloop.record.sessions.importers.gemini import GeminiCLI
from specloop.record.sessions.importers.model import FoundTranscript, LocalSession, Places, Source
from specloop.record.sessions.importers.specstory_history import SpecStoryHistory
from specloop.record.sessions.importers.vscode_copilot import COPILOTS

_SOURCES: tuple[Source, ...] = (
    ClaudeCode(),
    FactoryDroid(),
    CodexCLI(),
    CursorCLI(),
    CursorIDE(),
    *COPILOTS,
    DeepSeekTUI(),
    GeminiCLI(),
    AntigravityCLI(),
    SpecStoryHistory(),
)
"""Who claims many files comes first: below a path that the user named, the last one to claim a file reads it."""
SOURCES: dict[str, Source] = {source.name: source for source in _SOURCES}


def find_transcripts(places: Places, names: Iterable[str] = ()) -> Iterator[FoundTranscript]:
    """Every transcript of these sources (default: of all) at its usual place, newest stores last. A folder that may not
    be looked into stands for itself, so that reading it reports why."""
    for source in _chosen(names):
        yield from source.find(places)
        yield from (FoundTranscript(source.name, folder, 0, 0) for folder in closed(source.roots(places)))


def find_in(path: Path, names: Iterable[str] = ()) -> Iterator[FoundTranscript]:
    """The transcripts at or below a path that the user named, whichever source they are of."""
    for source in _chosen(names):
        yield from source.find_in(path)


def find_local(home: Path) -> list[FoundTranscript]:
    """What the coding agents left in a home folder; looks at names, sizes and times only."""
    return list(find_transcripts(Places(home)))


def watched_roots(places: Places, names: Iterable[str] = ()) -> list[Path]:
    """The folders of these sources that exist."""
    roots = (root for source in _chosen(names) for root in source.roots(places))
    return [root for root in dict.fromkeys(roots) if os.path.isdir(root)]


def holds_many(path: Path) -> bool:
    """Whether a file is a store of many sessions, so that finding those in it costs a look into it."""
    return path.name == CursorIDE.store_name


def read_transcript(found: FoundTranscript) -> LocalSession | None:
    """The session of a transcript; None when there is none in it.

    Raises: UnreadableTranscript.
    """
    return SOURCES[found.source].read(found)


def _chosen(names: Iterable[str]) -> list[Source]:
    return [SOURCES[name] for name in names] or list(_SOURCES)
