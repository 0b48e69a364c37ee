"""Finding files quickly: names, sizes and times, no contents. Follows links to files, never a ring of folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from specloop.record.sessions.importers.model import FoundTranscript


def walk(path: Path, *suffixes: str) -> Iterator[Path]:
    """The file itself, or the files below a folder, that end so, in order of name."""
    if os.path.isfile(path):
        if path.name.endswith(suffixes):
            yield path
        return
    yield from _below(path, suffixes, frozenset())


def _below(folder: Path, suffixes: tuple[str, ...], above: frozenset[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:
        return
    try:
        with os.scandir(folder) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in ordered:
        try:
            if entry.is_dir():
                yield from _below(Path(entry.path), suffixes, above | {real})
            elif entry.name.endswith(suffixes) and entry.is_file():
                yield Path(entry.path)
        except OSError:  # a link to itself
            continue


def matching(folder: Path, pattern: str) -> list[Path]:
    """What below the folder matches, in order; nothing where the folder cannot be looked into."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def closed(folders: Iterable[Path]) -> Iterator[Path]:
    """Those of the folders, and of the folders right in them, that may not be looked into."""
    for folder in folders:
        inside = list[Path]()
        try:
            with os.scandir(folder) as entries:
                inside += sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
        except PermissionError:
            yield folder
        except OSError:
            continue
        yield from (each for each in inside if _is_closed(each))


def _is_closed(folder: Path) -> bool:
    try:
        os.scandir(folder).close()
    except OSError as error:
        return isinstance(error, PermissionError)
    return False


def found_file(source: str, path: Path, *parts: Path, key: str = "") -> FoundTranscript | None:
    """The file with its size and time, those of its parts counted in; None when it has just gone."""
    try:
        stats = [path.stat(), *(part.stat() for part in parts)]
    except OSError:
        return None
    return FoundTranscript(
        source, path, sum(each.st_size for each in stats), max(each.st_mtime_ns for each in stats), key
    )
