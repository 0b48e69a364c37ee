"""The telemetry store that tests share."""

from __future__ import annotations

from pathlib import Path

from specloop.db.telemetry import TelemetryStore


class SharedTelemetry:
    """The one telemetry folder of this process, and the store that tests share: to make its tables takes longer than
    most tests. Who opens a database there by its address has the folder alone, as its lock wants it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._store: TelemetryStore | None = None

    async def emptied(self) -> TelemetryStore:
        """The store without a row."""
        self._store = self._store or await TelemetryStore.open(f"chdb://{self.folder}?database=shared")
        tables = ("spans", "traces", "deleted_traces")
        await self._store.maintain([f"TRUNCATE TABLE {table} SYNC" for table in tables])
        return self._store

    async def close(self) -> None:
        """Let go of the folder until the store is wanted again."""
        if self._store is not None:
            await self._store.close()
        self._store = None
