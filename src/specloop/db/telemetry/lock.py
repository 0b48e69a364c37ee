"""One process per telemetry folder. The embedded engine insists on it but says so only on standard error."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

from specloop.db.errors import FolderLocked


class FolderLock:
    """An advisory lock on a folder; it goes with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        """Take the lock.

        Raises: FolderLocked when another process has it.
        """
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file: IO[str] = (folder / "specloop.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = self._owner()
            self._file.close()
            raise FolderLocked(f"{folder} is in use by another Specloop process{owner}") from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def _owner(self) -> str:
        self._file.seek(0)
        pid = self._file.read(20).strip()
        return f" (pid {pid})" if pid.isdigit() else ""

    def release(self) -> None:
        """Let another process in."""
        self._file.close()
