"""Exports in the state store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.kit.ids import new_id
from specloop.record.traces.errors import ExportNotFound
from specloop.record.traces.exports import Export, ExportFormat, ExportState
from specloop.record.traces.tables import ExportRow

PROBLEM_LENGTH_MAX = 500


async def add(ctx: Context, form: ExportFormat, conditions: dict[str, Any]) -> Export:
    """A new export, queued."""
    row = ExportRow(
        id=new_id(),
        account_id=ctx.principal.account_id,
        workspace_id=ctx.workspace_id,
        format=form.value,
        state=ExportState.QUEUED.value,
        conditions=conditions,
        traces=0,
        spans=0,
        size=0,
        created_at=ctx.clock.now(),
        created_by=ctx.principal.actor_id,
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return _export(row)


async def read(ctx: Context, export_id: str) -> Export:
    """One export of the workspace.

    Raises: ExportNotFound.
    """
    row = await ctx.session.scalar(
        select(ExportRow).where(ExportRow.workspace_id == ctx.workspace_id, ExportRow.id == export_id)
    )
    if row is None:
        raise ExportNotFound
    return _export(row)


async def list_page(ctx: Context, page: PageRequest) -> Page[Export]:
    """The workspace's exports, newest first."""
    rows = await paginate(
        ctx.session,
        select(ExportRow).where(ExportRow.workspace_id == ctx.workspace_id),
        page,
        sortable={"created_at": ExportRow.created_at},
        default_sort="-created_at",
        tie_break=ExportRow.id.desc(),
    )
    return replace(rows, results=[_export(row) for row in rows.results])


async def finish(ctx: Context, export_id: str, digest: str, *, traces: int, spans: int, size: int) -> None:
    """The file is there."""
    state = ExportState.COMPLETED.value
    await _change(ctx, export_id, state=state, digest=digest, traces=traces, spans=spans, size=size)


async def fail(ctx: Context, export_id: str, problem: str) -> None:
    """No file will come."""
    await _change(ctx, export_id, state=ExportState.FAILED.value, problem=problem[:PROBLEM_LENGTH_MAX])


async def _change(ctx: Context, export_id: str, **values: Any) -> None:
    await ctx.session.execute(
        update(ExportRow)
        .where(ExportRow.workspace_id == ctx.workspace_id, ExportRow.id == export_id)
        .values(finished_at=ctx.clock.now(), **values)
    )


def _export(row: ExportRow) -> Export:
    return Export(
        row.id,
        ExportFormat(row.format),
        ExportState(row.state),
        row.conditions,
        row.traces,
        row.spans,
        row.size,
        row.digest,
        row.problem,
        row.created_at,
        row.finished_at,
    )
