"""The size of Specloop's telemetry once its server has stopped, in a process that ends afterwards."""

from __future__ import annotations

from benchmarks.bench_ingest import DISK_SQL, WORKSPACE
from specloop.db.telemetry import TelemetryStore


async def count(folder: str) -> int:
    """Bytes of all active parts."""
    store = await TelemetryStore.open(f"chdb://{folder}")
    rows = await store.query(DISK_SQL, workspace_id=WORKSPACE)
    await store.close()
    return int(rows[0]["bytes"])
