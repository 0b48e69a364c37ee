"""Old traces, and everything of one workspace: what is deleted by age or with its workspace, and exported with it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from specloop.db.context import Context
from specloop.db.telemetry import TelemetryStore
from specloop.record.traces.repository.matching import nanoseconds
from specloop.record.traces.tables import AnnotationRow, ExportRow, FeedbackRow, InboxRow, IntakeRow

_OLD = """
    SELECT trace_id FROM traces WHERE workspace_id = {workspace_id:UUID}
    GROUP BY trace_id HAVING max(end_ns) < {before_ns:UInt64}
"""
_FIND = f"SELECT lower(hex(trace_id)) AS id FROM ({_OLD} ORDER BY trace_id LIMIT {{limit:UInt32}})"  # noqa: S608
_PAGE = """
    SELECT lower(hex(trace_id)) AS id FROM (
        SELECT DISTINCT trace_id FROM traces
        WHERE workspace_id = {workspace_id:UUID} AND trace_id > toFixedString(unhex({after:String}), 16)
        ORDER BY trace_id LIMIT {limit:UInt32})
    ORDER BY id
"""
# What has got a younger span since it was chosen is no longer old, so both statements look again. No mark is left, as
# deletion by hand leaves it: an old trace that arrives again is deleted in the next night.
_CHOSEN = f"""
    WHERE workspace_id = {{workspace_id:UUID}}
    AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16)) AND trace_id IN ({_OLD})
"""
_DELETE_OLD = (f"DELETE FROM spans {_CHOSEN}", f"DELETE FROM traces {_CHOSEN}")  # noqa: S608
_OF_WORKSPACE = tuple(
    f"DELETE FROM {table} WHERE workspace_id = {{workspace_id:UUID}}"  # noqa: S608
    for table in ("spans", "traces", "deleted_traces")
)
_IDS_AT_ONCE = 500


async def find_old(store: TelemetryStore, workspace_id: str, before: datetime, limit: int) -> list[str]:
    """Ids of traces whose last span ended before `before`."""
    given = {"before_ns": nanoseconds(before), "limit": limit}
    rows = await store.query(_FIND, workspace_id=workspace_id, parameters=given)
    return [row["id"] for row in rows]


async def page_ids(store: TelemetryStore, workspace_id: str, after: str, limit: int) -> list[str]:
    """Ids of the workspace's traces in order, beginning after one; `""` is before all, as no id is all zeros."""
    rows = await store.query(_PAGE, workspace_id=workspace_id, parameters={"after": after, "limit": limit})
    return [row["id"] for row in rows]


async def delete_old(store: TelemetryStore, workspace_id: str, traces: Sequence[str], before: datetime) -> None:
    """Delete those of the traces that are still old; no query sees them any more."""
    given: dict[str, Any] = {"before_ns": nanoseconds(before), "traces": list(traces)}
    await store.change(_DELETE_OLD, workspace_id=workspace_id, parameters=given)


async def delete_workspace(store: TelemetryStore, workspace_id: str) -> None:
    """Delete every span of the workspace."""
    await store.change(_OF_WORKSPACE, workspace_id=workspace_id)


async def delete_opinions(ctx: Context, traces: Sequence[str]) -> None:
    """Forget what was said about the traces."""
    for start in range(0, len(traces), _IDS_AT_ONCE):
        some = traces[start : start + _IDS_AT_ONCE]
        for table in (FeedbackRow, AnnotationRow):
            mine = table.workspace_id == ctx.workspace_id
            await ctx.session.execute(delete(table).where(mine, table.trace_id.in_(some)))


async def delete_arrivals(ctx: Context, before: datetime) -> None:
    """Forget refused bodies and counters of arrivals from before a moment; what still waits to be stored stays."""
    refused = (InboxRow.workspace_id == ctx.workspace_id, InboxRow.failure.is_not(None))
    await ctx.session.execute(delete(InboxRow).where(*refused, InboxRow.received_at < before))
    mine = IntakeRow.workspace_id == ctx.workspace_id
    await ctx.session.execute(delete(IntakeRow).where(mine, IntakeRow.hour < before))


async def exports_until(ctx: Context, before: datetime | None) -> list[tuple[str, str | None]]:
    """(id, digest) of the workspace's exports that ended before a moment, or of all.

    One that never ended, since its job was cancelled or lost, counts from when it was asked for.
    """
    query = select(ExportRow.id, ExportRow.digest).where(ExportRow.workspace_id == ctx.workspace_id)
    if before is not None:
        query = query.where(func.coalesce(ExportRow.finished_at, ExportRow.created_at) < before)
    return [(row[0], row[1]) for row in await ctx.session.execute(query)]


async def delete_exports(ctx: Context, export_ids: Sequence[str]) -> None:
    """Forget exports."""
    for start in range(0, len(export_ids), _IDS_AT_ONCE):
        some = ExportRow.id.in_(export_ids[start : start + _IDS_AT_ONCE])
        await ctx.session.execute(delete(ExportRow).where(ExportRow.workspace_id == ctx.workspace_id, some))


async def is_shared(ctx: Context, digest: str, ending: Container[str]) -> bool:
    """Whether an export of any workspace besides those `ending` has this very file, as empty ones do.

    `ctx` sees all workspaces.
    """
    sharing = await ctx.session.scalars(select(ExportRow.id).where(ExportRow.digest == digest))
    return any(export_id not in ending for export_id in sharing)
