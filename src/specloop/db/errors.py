"""What can go wrong with the stores."""

from __future__ import annotations

from specloop.errors import StartupError, Unavailable


class DatabaseUnreachable(StartupError):
    """The state database cannot be reached."""

    code = "database-unreachable"
    exit_code = 4


class SchemaTooNew(StartupError):
    """The store was written by a newer Specloop; start that version, or restore a backup made before the upgrade."""

    code = "store-too-new"
    exit_code = 5


class FolderLocked(StartupError):
    """Another Specloop process is using this data folder."""

    code = "folder-locked"
    exit_code = 6


class DatabaseBusy(Unavailable):
    """The state database is busy."""
