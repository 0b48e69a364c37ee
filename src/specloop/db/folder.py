"""The data folder: private to its owner, one process at a time, with the installation's secret in it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from specloop.db.telemetry.lock import FolderLock
from specloop.errors import StartupError

SECRET_FILE = "secret.key"  # noqa: S105  (a file name)
SECRET_BYTES = 32


class FolderUnusable(StartupError):
    """The data folder cannot be used."""

    code = "folder-unusable"
    exit_code = 3


class DataFolder:
    """A locked data folder; release it when the program ends."""

    def __init__(self, path: Path) -> None:
        """Make the folder if needed, with mode 0700, and lock it.

        Raises: FolderUnusable, FolderLocked.
        """
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)
            self._lock = FolderLock(path)
        except OSError as error:
            raise FolderUnusable(f"the data folder {path} cannot be used: {error.strerror}") from error

    def secret(self) -> bytes:
        """32 random bytes, made once and readable by the owner only."""
        path = self.path / SECRET_FILE
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        return path.read_bytes()

    def release(self) -> None:
        """Let another process in."""
        self._lock.release()
