"""Reading another program's SQLite file without ever touching it: no lock, no journal, no change of its times."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from specloop.record.sessions.importers.errors import UnreadableTranscript

_COPIES_MAX = 3


@contextmanager
def opened_store(path: Path) -> Generator[sqlite3.Connection]:
    """A read-only connection to the file as it is now.

    A file at rest is opened as immutable. One with a write-ahead log is copied with it into a private folder first,
    because only a copy may be recovered without writing beside the original.

    Raises: UnreadableTranscript.
    """
    try:
        if not _has_log(path):
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
                yield connection
            return
        with tempfile.TemporaryDirectory(prefix="specloop-") as folder:
            copy = _copied(path, Path(folder))
            with closing(sqlite3.connect(copy)) as connection:
                yield connection
    except (sqlite3.Error, OSError) as error:
        raise UnreadableTranscript(f"{path}: {error}") from error


def log_of(path: Path) -> Path:
    """The write-ahead log that belongs to a file."""
    return path.with_name(path.name + "-wal")


def _has_log(path: Path) -> bool:
    log = log_of(path)
    return log.exists() and log.stat().st_size > 0


def _copied(path: Path, folder: Path) -> Path:
    """A copy of file and log that belong together: taken again when one changed meanwhile."""
    copy = folder / path.name
    for _ in range(_COPIES_MAX):
        before = _stamp(path)
        shutil.copyfile(path, copy)
        if _has_log(path):
            shutil.copyfile(log_of(path), log_of(copy))
        if _stamp(path) == before:
            break
    return copy


def _stamp(path: Path) -> tuple[int, ...]:
    files = [each for each in (path, log_of(path)) if each.exists()]
    return tuple(value for each in files for value in (each.stat().st_size, each.stat().st_mtime_ns))
