"""Follows the stores of the coding agents: a session that changes is sent at once, then at most every ten seconds.

The operating system tells of changes, so waiting costs nothing. What waits is sent when the command ends.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from watchfiles import Change, watch

from specloop.cli.transfer.importing import Importer, Outcome
from specloop.record.sessions.importers import FoundTranscript, Places, find_in, find_transcripts, watched_roots

QUIET_SECONDS = 10.0
_GATHER_MS = 300
_WAKE_MS = 1_000


class Watcher:
    """Sends what changes below the stores until `stopped` is set."""

    def __init__(
        self,
        importer: Importer,
        places: Places,
        sources: Iterable[str],
        stopped: threading.Event,
        *,
        quiet_seconds: float = QUIET_SECONDS,
    ) -> None:
        self._importer = importer
        self._places = places
        self._sources = tuple(sources)
        self._stopped = stopped
        self._quiet_seconds = quiet_seconds
        self._waiting: dict[str, FoundTranscript] = {}
        self._sent_at: dict[str, float] = {}

    def run(self, report: Callable[[Outcome], None], ready: Callable[[list[Path]], None]) -> None:
        """Send what changed since the last time, then what changes; `ready` hears which folders are followed, again
        whenever an agent has made its first one."""
        while not self._stopped.is_set():
            roots = watched_roots(self._places, self._sources)
            changes = self._changes(roots)
            next(changes, None)  # from here on changes are noticed, so what is found now is followed without a gap
            ready(roots)
            self._notice(find_transcripts(self._places, self._sources))
            self._send(self._due(), report)
            for change in changes:
                self._notice(self._found(change))
                self._send(self._due(), report)
                if watched_roots(self._places, self._sources) != roots:
                    break
        self._send(list(self._waiting.values()), report)

    def _changes(self, roots: list[Path]) -> Iterator[set[tuple[Change, str]]]:
        """The changes below the folders, at least an empty set per second; nothing more once it is to stop."""
        if not roots:
            while not self._stopped.wait(_WAKE_MS / 1_000):
                yield set()
            return
        yield from watch(
            *roots,
            stop_event=self._stopped,
            debounce=_GATHER_MS,
            rust_timeout=_WAKE_MS,
            yield_on_timeout=True,
            raise_interrupt=False,
            ignore_permission_denied=True,
            watch_filter=None,
        )

    def _found(self, changes: Iterable[tuple[Change, str]]) -> Iterable[FoundTranscript]:
        """The transcripts that changed files belong to. A part of one, such as a log or a sub-agent's file, stands for
        the transcripts beside or above it; a new folder for what it holds already, for nobody tells of that."""
        for path in dict.fromkeys(Path(name) for _, name in changes):
            direct = list(find_in(path, self._sources))
            yield from direct or (each for place in _neighbours(path) for each in find_in(place, self._sources))

    def _notice(self, found: Iterable[FoundTranscript]) -> None:
        for each in found:
            self._waiting[each.place] = each

    def _due(self) -> list[FoundTranscript]:
        now = time.monotonic()
        return [
            found
            for place, found in self._waiting.items()
            if now - self._sent_at.get(place, -self._quiet_seconds) >= self._quiet_seconds
        ]

    def _send(self, due: list[FoundTranscript], report: Callable[[Outcome], None]) -> None:
        if not due:
            return
        for found in due:
            self._waiting.pop(found.place, None)
            self._sent_at[found.place] = time.monotonic()
        self._importer.run(due, report)


def _neighbours(path: Path) -> list[Path]:
    """The transcripts that a file may be a part of: a database's log, a sub-agent's file or its folder."""
    if path.name.endswith(("-wal", "-shm")):
        return [path.with_name(path.name[:-4])]
    if path.parent.name == "subagents":
        return [path.parent.parent.with_suffix(".jsonl")]
    if path.name == "subagents":
        return [path.parent.with_suffix(".jsonl")]
    if path.is_dir():
        return [path.with_suffix(".jsonl")]
    if path.name.startswith("agent-"):
        return [path.parent]
    return []
