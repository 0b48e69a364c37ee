"""SQL of scans themselves, their events and checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.scans.errors import ScanNotFound
from specloop.improve.scans.model import ACTIVE, NewEvent, Scan, ScanEvent, ScanWish, Status
from specloop.improve.scans.tables import CheckpointRow, ScanEventRow, ScanRow
from specloop.kit.ids import new_id

_SORTABLE = {"created_at": ScanRow.created_at, "updated_at": ScanRow.updated_at, "status": ScanRow.status}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which scans a list shows; None does not filter. `start` is inclusive, `end` exclusive."""

    status: str | None = None
    agent_id: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewScan:
    """A scan on its way in."""

    wish: ScanWish
    agent_version: int
    sample_set_version_id: str
    objective_version_id: str
    readiness: dict[str, Any]
    engine_versions: dict[str, Any]
    retry_of: str | None = None


async def insert_scan(ctx: Context, new: NewScan) -> str:
    """A queued scan; returns its id."""
    now = ctx.clock.now()
    wish = new.wish
    row = ScanRow(
        id=new_id(),
        account_id=ctx.principal.account_id,
        workspace_id=ctx.workspace_id,
        name=wish.name,
        labels=wish.labels,
        agent_id=wish.agent_id,
        sample_set_id=wish.sample_set_id,
        sample_set_version_id=new.sample_set_version_id,
        objective_id=wish.objective_id,
        objective_version_id=new.objective_version_id,
        retry_of=new.retry_of,
        plan={"wish": wish.as_json(), "agent_version": new.agent_version},
        seed=wish.seed,
        status=Status.QUEUED.value,
        readiness=new.readiness,
        results={},
        used={},
        timings={},
        engine_versions=new.engine_versions,
        draft_insight={},
        error={},
        created_at=now,
        updated_at=now,
        created_by=ctx.principal.actor_id,
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return row.id


async def row_of(ctx: Context, scan_id: str) -> ScanRow:
    """The row, locked for the rest of the transaction.

    Raises: ScanNotFound.
    """
    row = await ctx.session.scalar(
        select(ScanRow).where(ScanRow.workspace_id == ctx.workspace_id, ScanRow.id == scan_id).with_for_update()
    )
    if row is None:
        raise ScanNotFound
    return row


async def find(ctx: Context, scan_id: str) -> Scan:
    """A scan.

    Raises: ScanNotFound.
    """
    row = await ctx.session.scalar(
        select(ScanRow).where(ScanRow.workspace_id == ctx.workspace_id, ScanRow.id == scan_id)
    )
    if row is None:
        raise ScanNotFound
    return to_scan(row)


async def page_of(ctx: Context, wanted: Wanted, page: PageRequest) -> Page[Scan]:
    """Scans of the workspace."""
    query = select(ScanRow).where(ScanRow.workspace_id == ctx.workspace_id)
    if wanted.status is not None:
        query = query.where(ScanRow.status == wanted.status)
    if wanted.agent_id is not None:
        query = query.where(ScanRow.agent_id == wanted.agent_id)
    if wanted.start is not None:
        query = query.where(ScanRow.created_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(ScanRow.created_at < wanted.end)
    rows = await paginate(
        ctx.session, query, page, sortable=_SORTABLE, default_sort="-created_at", tie_break=ScanRow.id.desc()
    )
    return Page([to_scan(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def active_scans(ctx: Context) -> list[Scan]:
    """The scans of the workspace that hold their agents, oldest first."""
    rows = await ctx.session.scalars(
        select(ScanRow)
        .where(ScanRow.workspace_id == ctx.workspace_id, ScanRow.status.in_([status.value for status in ACTIVE]))
        .order_by(ScanRow.id)
    )
    return [to_scan(row) for row in rows]


async def add_events(ctx: Context, row: ScanRow, events: Sequence[NewEvent]) -> None:
    """Append events; the caller holds the scan's row, so numbers have no gaps."""
    if not events:
        return
    now = ctx.clock.now()
    values = [
        {
            "account_id": row.account_id,
            "workspace_id": row.workspace_id,
            "scan_id": row.id,
            "seq": row.last_seq + number,
            "ts": now,
            "type": event.type,
            "phase": event.phase or row.phase,
            "level": event.level,
            "data": event.data,
        }
        for number, event in enumerate(events, start=1)
    ]
    await ctx.session.execute(insert(ScanEventRow), values)
    row.last_seq += len(events)
    row.updated_at = now
    await ctx.session.flush()


async def events_after(ctx: Context, scan_id: str, seq: int, limit: int) -> list[ScanEvent]:
    """Up to `limit` events behind number `seq`."""
    rows = await ctx.session.scalars(
        select(ScanEventRow)
        .where(ScanEventRow.workspace_id == ctx.workspace_id, ScanEventRow.scan_id == scan_id, ScanEventRow.seq > seq)
        .order_by(ScanEventRow.seq)
        .limit(limit)
    )
    return [_event(row) for row in rows]


async def page_of_events(
    ctx: Context, scan_id: str, type_: str | None, level: str | None, page: PageRequest
) -> Page[ScanEvent]:
    """Events, oldest first; a cursor is the number of the last event seen."""
    query = select(ScanEventRow).where(ScanEventRow.workspace_id == ctx.workspace_id, ScanEventRow.scan_id == scan_id)
    if type_ is not None:
        query = query.where(ScanEventRow.type == type_)
    if level is not None:
        query = query.where(ScanEventRow.level == level)
    if page.cursor is not None:
        query = query.where(ScanEventRow.seq > int(page.cursor))
    rows = await paginate(
        ctx.session,
        query,
        page,
        sortable={"seq": ScanEventRow.seq},
        default_sort="seq",
        tie_break=ScanEventRow.seq,
    )
    events = [_event(row) for row in rows.results]
    cursor = str(events[-1].seq) if len(events) == page.limit else None
    return Page(events, rows.total, rows.limit, rows.offset, cursor)


async def save_checkpoint(ctx: Context, row: ScanRow, state: dict[str, Any]) -> None:
    """Replace the point from which the scan can go on."""
    found = await ctx.session.get(CheckpointRow, (row.id, "search"))
    if found is None:
        ctx.session.add(
            CheckpointRow(
                account_id=row.account_id,
                workspace_id=row.workspace_id,
                scan_id=row.id,
                phase="search",
                state=state,
                saved_at=ctx.clock.now(),
            )
        )
    else:
        found.state, found.saved_at = state, ctx.clock.now()
    await ctx.session.flush()


async def load_checkpoint(ctx: Context, scan_id: str) -> dict[str, Any] | None:
    """The point from which the scan can go on, if it has one."""
    found = await ctx.session.scalar(
        select(CheckpointRow).where(CheckpointRow.workspace_id == ctx.workspace_id, CheckpointRow.scan_id == scan_id)
    )
    return None if found is None else found.state


def _event(row: ScanEventRow) -> ScanEvent:
    return ScanEvent(row.seq, row.ts, row.type, row.phase, row.level, row.data)


def to_scan(row: ScanRow) -> Scan:
    """The scan a row holds."""
    return Scan(
        id=row.id,
        name=row.name,
        labels=row.labels,
        agent_id=row.agent_id,
        agent_version=row.plan["agent_version"],
        sample_set_id=row.sample_set_id,
        sample_set_version_id=row.sample_set_version_id,
        objective_id=row.objective_id,
        objective_version_id=row.objective_version_id,
        retry_of=row.retry_of,
        wish=ScanWish.of(row.plan["wish"]),
        seed=row.seed,
        status=Status(row.status),
        phase=row.phase,
        outcome=row.outcome,
        is_pause_requested=row.is_pause_requested,
        attempt=row.attempt,
        progress_done=row.progress_done,
        progress_total=row.progress_total,
        readiness=row.readiness,
        results=row.results,
        used=row.used,
        timings=row.timings,
        engine_versions=row.engine_versions,
        draft_insight=row.draft_insight,
        error=row.error,
        last_seq=row.last_seq,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        created_by=row.created_by,
    )
