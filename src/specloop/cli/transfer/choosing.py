"""Which transcripts and which project the user means."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from specloop.errors import BadRequest
from specloop.record.sessions.importers import (
    SOURCES,
    FoundTranscript,
    Places,
    ProjectIdentity,
    find_in,
    find_transcripts,
    identify_project,
)
from specloop.record.sessions.importers.project_identity import git_root

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PROJECT_ID = re.compile(r"[0-9a-f]{4}(-[0-9a-f]{4}){3}")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the user chose."""

    sources: tuple[str, ...]
    since: datetime | None
    paths: tuple[Path, ...]

    def transcripts(self) -> list[FoundTranscript]:
        """The transcripts meant, each once: those below the named paths, else those at their usual places."""
        found: Iterable[FoundTranscript]
        if self.paths:
            found = (each for path in self.paths for each in find_in(path, self.sources))
        else:
            found = find_transcripts(usual_places(), self.sources)
        chosen = {each.place: each for each in found if self._is_recent(each)}
        return list(chosen.values())

    def _is_recent(self, found: FoundTranscript) -> bool:
        return self.since is None or found.is_closed or found.mtime_ns >= self.since.timestamp() * 1e9


def choose(sources: Sequence[str] = (), since: str | None = None, paths: Sequence[Path] = ()) -> Choice:
    """The choice, checked.

    Raises: BadRequest.
    """
    for name in sources:
        if name not in SOURCES:
            raise BadRequest(f"there is no source '{name}'; there are {', '.join(SOURCES)}")
    for path in paths:
        if not os.path.exists(path):
            raise BadRequest(f"{path}: there is no such file or folder")
        if not os.access(path, os.R_OK):
            raise BadRequest(f"{path}: you may not read it")
    return Choice(tuple(sources), _moment(since) if since else None, tuple(path.absolute() for path in paths))


def usual_places() -> Places:
    """The home folder, the environment, and the folder where the command was called with its repository."""
    here = Path.cwd()
    root = git_root(here)
    return Places(Path.home(), os.environ, (here, root) if root else (here,))


def project_id_of(text: str) -> str:
    """The id of a project that is named by its id or by its folder."""
    if _PROJECT_ID.fullmatch(text):
        return text
    path = Path(text)
    return identify_project(str(path.resolve())).project_id if path.is_dir() else text


def target(text: str | None) -> ProjectIdentity | None:
    """The project that all sessions go to."""
    if text is None:
        return None
    path = Path(text)
    if path.is_dir():
        return identify_project(str(path.resolve()))
    return ProjectIdentity(text, text)


def _moment(text: str) -> datetime:
    if ago := _AGO.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(
            f"--since takes a day (2026-08-01), a time (2026-08-01T12:00:00Z) or an age (7d), not '{text}'"
        ) from None
    return read if read.tzinfo else read.astimezone()
