"""Follows the stores of the coding agents: a session that changes is sent at once, then at most every ten seconds.

The operating system tells of changes, so waiting costs nothing. What could not be sent is tried again, and what waits
is sent when the command ends.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import httpx
from watchfiles import Change, watch

from specloop.cli.session import RemoteError
from specloop.cli.transfer.importing import Importer, Outcome, Result
from specloop.record.sessions.importers import (
    FoundTranscript,
    Places,
    find_in,
    find_transcripts,
    holds_many,
    watched_roots,
)

QUIET_SECONDS = 10.0
RETRY_SECONDS_MIN = 1.0
RETRY_SECONDS_MAX = 300.0
UNREADABLE_SECONDS_MAX = 3600.0
"""What the server did not take is sent again soon; what cannot be read rarely gets better by itself."""
_DOUBLINGS_MAX = 16
_SETTINGS = ".settings.json"
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
        self._stores: dict[Path, None] = {}
        self._digests: dict[str, str] = {}
        self._not_before: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self._told: dict[str, str] = {}

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
                self._look_at(change)
                self._send(self._due(), report)
                if watched_roots(self._places, self._sources) != roots:
                    break
        self._list(list(self._stores))
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

    def _look_at(self, changes: Iterable[tuple[Change, str]]) -> None:
        """Notice the transcripts that changed files belong to. A part of one, such as a log or a sub-agent's file,
        stands for the transcripts beside or above it; a new folder for what it holds already, for nobody tells of
        that. A store of many waits until it is due: it changes with every stroke, and listing it costs a copy."""
        for path in dict.fromkeys(Path(name) for _, name in changes):
            places = [path, *_neighbours(path)]
            if stores := [place for place in places if holds_many(place)]:
                self._stores.update(dict.fromkeys(stores))
                continue
            direct = list(find_in(path, self._sources))
            self._notice(direct or (each for place in places[1:] for each in find_in(place, self._sources)))

    def _notice(self, found: Iterable[FoundTranscript]) -> None:
        for each in found:
            if not each.digest or self._digests.get(each.place) != each.digest:
                self._digests[each.place] = each.digest
                self._waiting[each.place] = each

    def _due(self) -> list[FoundTranscript]:
        self._list([store for store in self._stores if self._is_due(str(store))])
        return [found for place, found in self._waiting.items() if self._is_due(place)]

    def _is_due(self, place: str) -> bool:
        return time.monotonic() >= self._not_before.get(place, 0.0)

    def _list(self, stores: Iterable[Path]) -> None:
        for store in stores:
            self._stores.pop(store, None)
            self._not_before[str(store)] = time.monotonic() + self._quiet_seconds
            self._notice(find_in(store, self._sources))

    def _send(self, due: list[FoundTranscript], report: Callable[[Outcome], None]) -> None:
        """Send; what fails waits again, longer each time."""
        if not due:
            return
        for found in due:
            self._waiting.pop(found.place, None)
            self._not_before[found.place] = time.monotonic() + self._quiet_seconds
        unheard = {found.place: found for found in due}

        def hear(outcome: Outcome) -> None:
            unheard.pop(outcome.found.place, None)
            self._hear(outcome, report)

        try:
            self._importer.run(due, hear)
        except (RemoteError, httpx.HTTPError) as error:
            for found in unheard.values():
                self._try_later(found, RETRY_SECONDS_MAX)
            first = next(iter(unheard.values()), due[0])
            detail = f"{first.place}: {error or type(error).__name__}"
            self._tell(Outcome(Result.FAILED, first, detail=detail), report)

    def _hear(self, outcome: Outcome, report: Callable[[Outcome], None]) -> None:
        if outcome.result == Result.FAILED:
            self._try_later(outcome.found, RETRY_SECONDS_MAX if outcome.outgoing else UNREADABLE_SECONDS_MAX)
        else:
            self._failures.pop(outcome.found.place, None)
        self._tell(outcome, report)

    def _tell(self, outcome: Outcome, report: Callable[[Outcome], None]) -> None:
        """Report; a failure that is the same as before only once."""
        place, detail = outcome.found.place, outcome.detail or ""
        if not detail or self._told.get(place) != detail:
            report(outcome)
        self._told[place] = detail

    def _try_later(self, found: FoundTranscript, seconds_max: float) -> None:
        if not os.path.exists(found.path):
            return
        failures = self._failures[found.place] = self._failures.get(found.place, 0) + 1
        delay = min(max(self._quiet_seconds, RETRY_SECONDS_MIN) * 2.0 ** min(failures - 1, _DOUBLINGS_MAX), seconds_max)
        self._not_before[found.place] = time.monotonic() + delay
        self._waiting[found.place] = found


def _neighbours(path: Path) -> list[Path]:
    """The transcripts that a file may be a part of: a database's log, settings, a sub-agent's file or its folder."""
    if path.name.endswith(("-wal", "-shm")):
        return [path.with_name(path.name[:-4])]
    if path.parent.name == "subagents":
        return [path.parent.parent.with_suffix(".jsonl")]
    if path.name == "subagents":
        return [path.parent.with_suffix(".jsonl")]
    if os.path.isdir(path):
        return [path.with_suffix(".jsonl")]
    if path.name.endswith(_SETTINGS):
        return [path.with_name(path.name.removesuffix(_SETTINGS) + ".jsonl")]
    if path.name.startswith("agent-"):
        return [path.parent]
    return []
