"""Takes and restores backups of a data folder. Order matters: what refers is copied before what is referred to."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from specloop import __version__
from specloop.db.backup.archive import BadArchive, Content, unpack, writing
from specloop.db.backup.parts import link_telemetry
from specloop.db.folder import SECRET_FILE, DataFolder
from specloop.errors import StartupError
from specloop.kit.clock import format_time

STATE, JOBS, TELEMETRY, BLOBS = "state.db", "jobs.db", "telemetry", "blobs"
_KEPT = (SECRET_FILE, "token-signing.json", "tls", BLOBS)
_SCRATCH = ".backup-"
_OF_FILE_SYSTEM = "lost+found"
"""What is in a fresh file system."""


class NotEmbedded(StartupError):
    """Only embedded stores are backed up; a server has tools for that, such as pg_dump or clickhouse-backup."""

    code = "not-embedded"
    exit_code = 2


class FolderNotEmpty(StartupError):
    """There is something in that folder already; restore into a new one."""

    code = "folder-not-empty"
    exit_code = 3


def back_up(folder: Path, target: Path, now: datetime, addresses: tuple[str, ...] = ()) -> Content:
    """Write the data folder into the archive `target`; a server may be working on it.

    `addresses` are those of the stores: each must be in the folder. Steps of jobs are copied before the state (a step
    may then be done again, never skipped), the state before the telemetry (a body that still waits in the inbox may be
    stored twice, which reads as once) and before the blobs.
    Raises: NotEmbedded, NeverQuiet; OSError.
    """
    for address in addresses:
        if not Path("/" + urlsplit(address).path.lstrip("/")).is_relative_to(folder):
            raise NotEmbedded
    if not (folder / STATE).exists():
        raise NotEmbedded(f"there is no {STATE} in {folder}")
    for leftover in folder.glob(_SCRATCH + "*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as name, writing(target) as archive:
        scratch = Path(name)
        for database in (JOBS, STATE):
            if (folder / database).exists():
                _copy_database(folder / database, scratch / database)
        link_telemetry(folder / TELEMETRY, scratch / TELEMETRY)
        archive.content.facts = {"version": __version__, "created_at": format_time(now)}
        for part in (JOBS, STATE, TELEMETRY):
            archive.add_tree(scratch / part, part)
        for part in _KEPT:
            archive.add_tree(folder / part, part)
        return archive.content


def restore(source: Path, folder: Path) -> Content:
    """Make the data folder anew from an archive: all of it or nothing.

    An empty folder that is there is filled and not replaced: it may be a mount point.
    Raises: FolderNotEmpty, FolderLocked, BadArchive.
    """
    folder = folder.resolve()
    is_there = folder.exists()
    if is_there and any(one.name != _OF_FILE_SYSTEM for one in folder.iterdir()):
        raise FolderNotEmpty
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder if is_there else folder.parent
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=place) as name:
        draft = Path(name) / "data"
        draft.mkdir(mode=0o700)
        content = unpack(source, draft)
        for database in (STATE, JOBS):
            if (draft / database).exists():
                _check_database(draft / database)
        if is_there:
            _move_up(draft, folder)
        else:
            draft.replace(folder)
    return content


def _move_up(draft: Path, folder: Path) -> None:
    """Move the entries of `draft` into `folder`, while nobody else may use it.

    Raises: FolderLocked; OSError, and then nothing of them is left in the folder.
    """
    held, moved = DataFolder(folder), list[Path]()
    try:
        for entry in sorted(draft.iterdir()):
            moved.append(entry.replace(folder / entry.name))
    except OSError:
        for one in moved:
            one.replace(draft / one.name)
        raise
    finally:
        held.release()


def _copy_database(source: Path, target: Path) -> None:
    """A copy as of one moment: a reader in WAL mode neither waits for writers nor makes them wait."""
    with closing(sqlite3.connect(source, timeout=60)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)


def _check_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            verdicts = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            strays = connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.DatabaseError as error:
            raise BadArchive(f"{path.name} is damaged: {error}") from error
    if verdicts != ["ok"] or strays:
        raise BadArchive(f"{path.name} is damaged: {verdicts[0] if verdicts != ['ok'] else 'rows refer to nothing'}")
