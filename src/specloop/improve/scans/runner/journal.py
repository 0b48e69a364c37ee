"""Writes what a running scan reports: events in batches, phase, progress, checkpoints; reads what it is asked to do.

Every write checks that this attempt still holds the scan, so that two workers can never both write.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from specloop.db.context import Context
from specloop.identity import audit
from specloop.improve.scans.model import NewEvent, Status, move
from specloop.improve.scans.repository import runs
from specloop.improve.scans.tables import ScanRow
from specloop.jobs import JobContext, LeaseLost

Command = Literal["go", "pause", "cancel"]
FLUSH_SECONDS = 0.25
_WARNINGS = frozenset({"judge.error", "agent.error"})


@dataclass(slots=True)
class Batch:
    """What was reported since the last flush."""

    events: list[NewEvent] = field(default_factory=list[NewEvent])
    engine_events: int = 0
    phase: str | None = None
    evaluations: int | None = None
    checkpoint: dict[str, Any] | None = None


class Journal:
    """The journal of one attempt at one scan."""

    def __init__(self, job: JobContext, scan_id: str, attempt: int, engine_events: int) -> None:
        """`engine_events` counts the events of the engine that earlier attempts have written."""
        self._job = job
        self._scan_id = scan_id
        self._attempt = attempt
        self._seen = engine_events
        self._batch = Batch()

    @asynccontextmanager
    async def holding(self) -> AsyncGenerator[tuple[Context, ScanRow]]:
        """A writing unit with the scan's row.

        Raises: LeaseLost when another attempt holds the scan.
        """
        async with self._job.writing() as ctx:
            row = await runs.row_of(ctx, self._scan_id)
            if row.attempt != self._attempt:
                raise LeaseLost
            yield ctx, row

    def take(self, message: Mapping[str, Any]) -> None:
        """Remember an event or a checkpoint; events that an earlier attempt has written are passed over."""
        if message["type"] == "checkpoint":
            self._batch.checkpoint = dict(message["state"])
            return
        if message["number"] <= self._seen:
            return
        self._seen = message["number"]
        self._batch.engine_events = self._seen
        name, data = message["name"], dict(message["data"])
        if name == "scan.phase":
            self._batch.phase = data["phase"]
        if name == "budget.updated":
            self._batch.evaluations = data["evaluations"]
        level = "warning" if name in _WARNINGS else "info"
        self._batch.events.append(NewEvent(name, data, message["phase"] or None, level))

    async def flush(self) -> Command:
        """Write what was remembered; returns what users want of the scan now."""
        batch, self._batch = self._batch, Batch()
        async with self.holding() as (ctx, row):
            if batch.phase is not None:
                row.phase = batch.phase
            if batch.engine_events:
                row.used = {**row.used, "engine_events": batch.engine_events}
            if batch.evaluations is not None:
                row.progress_done = batch.evaluations
                row.used = {**row.used, "evaluations": batch.evaluations}
            if batch.checkpoint is not None:
                await runs.save_checkpoint(ctx, row, batch.checkpoint)
                row.used = {**row.used, "stalled_attempts": 0}
            await runs.add_events(ctx, row, batch.events)
            if row.status == Status.CANCELLING:
                return "cancel"
            return "pause" if row.is_pause_requested else "go"

    async def end(self, wanted: Status, events: Sequence[NewEvent] = (), **values: Any) -> None:
        """Move the scan to where this attempt leaves it, with its event and audit row."""
        async with self.holding() as (ctx, row):
            await end(ctx, row, wanted, events, **values)


async def end(ctx: Context, row: ScanRow, wanted: Status, events: Sequence[NewEvent] = (), **values: Any) -> None:
    """Move a held scan; `values` are columns to set. A scan that is being cancelled ends as cancelled."""
    current = Status(row.status)
    target = Status.CANCELLED if current is Status.CANCELLING else wanted
    row.status = move(current, target).value
    for name, value in values.items():
        setattr(row, name, value)
    row.revision += 1
    row.is_pause_requested = False
    if target.is_final:
        row.finished_at = ctx.clock.now()
    data = {"outcome": row.outcome} if target is Status.COMPLETED else dict(row.error)
    await runs.add_events(ctx, row, [*events, NewEvent(f"scan.{target.value}", data)])
    await audit.record(ctx, f"scan.{target.value}", "scan", row.id, {"outcome": row.outcome})
