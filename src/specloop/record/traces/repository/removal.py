"""Deleting traces from the telemetry store."""

from __future__ import annotations

from specloop.db.telemetry import TelemetryStore

# First the mark, then the rows: what arrives in between is already left out.
_DELETE = (
    "INSERT INTO deleted_traces (workspace_id, trace_id)"
    " SELECT {workspace_id:UUID}, toFixedString(unhex({trace_id:String}), 16)",
    "DELETE FROM spans WHERE workspace_id = {workspace_id:UUID} AND trace_id = unhex({trace_id:String})",
    "DELETE FROM traces WHERE workspace_id = {workspace_id:UUID} AND trace_id = unhex({trace_id:String})",
)
_PURGE = tuple(f"ALTER TABLE {table} APPLY DELETED MASK" for table in ("spans", "traces", "deleted_traces"))


async def delete_trace(store: TelemetryStore, workspace_id: str, trace_id: str) -> None:
    """No query sees the trace (32 hex digits) any more, and no insert brings it back."""
    await store.change(_DELETE, workspace_id=workspace_id, parameters={"trace_id": trace_id})


async def purge(store: TelemetryStore) -> None:
    """Rewrite the parts that hold deleted rows."""
    await store.maintain(_PURGE)
