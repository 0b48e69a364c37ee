"""A consistent picture of a telemetry folder that another process is writing to, made of hard links.

A data part never changes once it is there; merges and mutations replace parts by new ones that cover them. So it is
enough to link parts until a whole round finds none that vanished: every row that was there at the start is then in a
linked part, and the engine drops covered parts when it loads the folder.
"""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from specloop.errors import StartupError

ROUNDS_MAX = 200
_UNFINISHED = ("tmp_", "delete_tmp_", "detached", "moving")


class NeverQuiet(StartupError):
    """The telemetry store was merged faster than it could be copied; try again."""

    code = "telemetry-never-quiet"


def link_telemetry(source: Path, target: Path) -> None:
    """Put a picture of the folder `source` under `target`, which had better be on the same file system.

    Raises: NeverQuiet.
    """
    for path in sorted(source.rglob("*")):
        if _part_of(path) is None and not path.name.startswith(_UNFINISHED) and not _is_passing(path, source):
            _copy(path, target / path.relative_to(source))
    linked: set[Path] = set()
    for _ in range(ROUNDS_MAX):
        fresh = {checksums.parent for checksums in source.glob("store/*/*/*/checksums.txt")} - linked
        fresh = {part for part in fresh if not part.name.startswith(_UNFINISHED)}
        done = {part for part in fresh if _link_part(part, target / part.relative_to(source))}
        linked |= done
        if done == fresh:
            return
    raise NeverQuiet


def _part_of(path: Path) -> Path | None:
    """The data part that the path is, or lies in."""
    return next((one for one in (path, *path.parents) if (one / "checksums.txt").exists()), None)


def _is_passing(path: Path, source: Path) -> bool:
    """Whether the path is of one run of the server only, or lies in a part that is being made."""
    inner = path.relative_to(source).parts
    return inner[0] in {"tmp", "specloop.lock", "status"} or any(part.startswith(_UNFINISHED) for part in inner)


def _copy(path: Path, target: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)
    except FileNotFoundError:
        pass  # dropped meanwhile: what replaces it is seen elsewhere


def _link_part(part: Path, target: Path) -> bool:
    """Whether the part could be linked whole; what there is of one that vanished is taken back."""
    try:
        for folder, _, names in os.walk(part, onerror=_raise):
            here = target / Path(folder).relative_to(part)
            here.mkdir(parents=True, exist_ok=True)
            for name in names:
                _link(Path(folder) / name, here / name)
    except FileNotFoundError:
        shutil.rmtree(target, ignore_errors=True)
        return False
    if not (target / "checksums.txt").exists() or not (part / "checksums.txt").exists():
        shutil.rmtree(target, ignore_errors=True)
        return False
    return True


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the telemetry lies on another file system than the rest of the data folder."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        shutil.copy2(source, target)


def _raise(error: OSError) -> None:
    raise error
