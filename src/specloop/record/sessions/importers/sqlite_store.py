"""Reading another program's SQLite file without ever touching it: no lock, no journal, no change of its times."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

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
            with closing(_at_rest(path)) as connection:
                yield connection
            return
        with (
            tempfile.TemporaryDirectory(prefix="specloop-") as folder,
            closing(_connected(str(_copied(path, Path(folder))))) as connection,
        ):
            yield connection
    except (sqlite3.Error, OSError) as error:
        raise UnreadableTranscript(f"{path}: {error}") from error


class StoreSnapshot:
    """A file as it was when it was first looked into, for many looks by several threads, one at a time. It is copied
    once at most; the copy is gone when nobody holds the snapshot any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._copy: sqlite3.Connection | None = None

    @contextmanager
    def opened(self) -> Generator[sqlite3.Connection]:
        """A read-only connection.

        Raises: UnreadableTranscript.
        """
        with self._lock:
            try:
                if self._copy is None and _has_log(self._path):
                    self._copy = self._copied()
                if self._copy is not None:
                    yield self._copy
                    return
            except (sqlite3.Error, OSError) as error:
                raise UnreadableTranscript(f"{self._path}: {error}") from error
            with opened_store(self._path) as connection:
                yield connection

    def _copied(self) -> sqlite3.Connection:
        folder = tempfile.mkdtemp(prefix="specloop-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        connection = _connected(str(_copied(self._path, Path(folder))))
        weakref.finalize(self, connection.close)
        return connection


def log_of(path: Path) -> Path:
    """The write-ahead log that belongs to a file."""
    return path.with_name(path.name + "-wal")


def _connected(place: str, **options: Any) -> sqlite3.Connection:
    """A connection; text that is not UTF-8 reads with marks in the place of what is wrong."""
    connection = sqlite3.connect(place, check_same_thread=False, **options)
    connection.text_factory = _text
    return connection


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")


def _at_rest(path: Path) -> sqlite3.Connection:
    return _connected(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _has_log(path: Path) -> bool:
    try:
        return log_of(path).stat().st_size > 0
    except OSError:
        return False


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
    files = [each for each in (path, log_of(path)) if os.path.exists(each)]
    return tuple(value for each in files for value in (each.stat().st_size, each.stat().st_mtime_ns))
