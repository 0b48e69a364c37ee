"""The inbox and the intake counters in the state store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from specloop.db.batches import execute_all
from specloop.db.context import Context
from specloop.db.uow import UnitOfWork
from specloop.record.traces.model import Outcome
from specloop.record.traces.repository.native import ReceivedBody
from specloop.record.traces.tables import InboxRow, IntakeRow

FAILURE_LENGTH_MAX = 500

# Made once, and without the ORM: every few requests run these.
_INBOX = InboxRow.metadata.tables[InboxRow.__tablename__]
_INTAKE = IntakeRow.metadata.tables[IntakeRow.__tablename__]
_ADD = _INBOX.insert()
_REMOVE = delete(_INBOX).where(_INBOX.c.id == bindparam("row_id"))
_STORED = select(func.coalesce(func.sum(InboxRow.size), 0))


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it is journalled: its accepted body (may be empty) and how many spans had which outcome."""

    account_id: str
    workspace_id: str
    received_at: datetime
    body: bytes
    outcomes: Mapping[Outcome, int]
    size: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A body in the inbox."""

    id: int
    received: ReceivedBody


@dataclass(frozen=True, slots=True)
class IntakeCount:
    """Spans of one outcome in a window."""

    outcome: str
    spans: int
    bytes: int
    last_at: datetime


async def append(unit: UnitOfWork, arrivals: Sequence[Arrival]) -> None:
    """Write the bodies and count the spans."""
    rows = [
        {
            "account_id": arrival.account_id,
            "workspace_id": arrival.workspace_id,
            "received_at": arrival.received_at,
            "size": len(arrival.body),
            "body": arrival.body,
        }
        for arrival in arrivals
        if arrival.body
    ]
    await execute_all(unit.session, [(_ADD, rows), (_counting(unit.engine_name), _counts(arrivals))])


async def stored_bytes(unit: UnitOfWork) -> int:
    """The size of all bodies in the inbox."""
    return int(await unit.session.scalar(_STORED) or 0)


async def level(unit: UnitOfWork) -> tuple[int, int]:
    """(requests, bytes) that wait in the inbox."""
    row = (await unit.session.execute(select(func.count(), func.coalesce(func.sum(InboxRow.size), 0)))).one()
    return int(row[0]), int(row[1])


async def take(unit: UnitOfWork, *, bytes_max: int, rows_max: int, after_id: int = 0) -> list[Waiting]:
    """The oldest bodies that wait behind `after_id`, at least one, together at most `bytes_max`.

    On PostgreSQL they are locked for this transaction, and bodies that another process has locked are left out.
    """
    waiting = InboxRow.failure.is_(None), InboxRow.id > after_id
    sizes = select(InboxRow.id, InboxRow.size).where(*waiting).order_by(InboxRow.id).limit(rows_max)
    if unit.engine_name == "postgresql":
        sizes = sizes.with_for_update(skip_locked=True)
    chosen: list[int] = []
    total = 0
    for row_id, size in await unit.session.execute(sizes):
        total += size
        if chosen and total > bytes_max:
            break
        chosen.append(row_id)
    rows = await unit.session.execute(
        select(InboxRow.id, InboxRow.workspace_id, InboxRow.received_at, InboxRow.body)
        .where(InboxRow.id.in_(chosen))
        .order_by(InboxRow.id)
    )
    return [
        Waiting(row_id, ReceivedBody(workspace_id, round(received_at.timestamp() * 1_000_000), body))
        for row_id, workspace_id, received_at, body in rows
    ]


async def remove(unit: UnitOfWork, ids: Iterable[int]) -> None:
    """Forget bodies that the telemetry store has."""
    await execute_all(unit.session, [(_REMOVE, [{"row_id": row_id} for row_id in ids])])


async def set_aside(unit: UnitOfWork, row_id: int, failure: str) -> None:
    """Keep a body that the telemetry store refuses, and say why."""
    await unit.session.execute(
        update(InboxRow).where(InboxRow.id == row_id).values(failure=failure[:FAILURE_LENGTH_MAX])
    )


async def intake_counts(ctx: Context, since: datetime) -> list[IntakeCount]:
    """What the workspace received since `since`, by outcome."""
    rows = await ctx.session.execute(
        select(IntakeRow.outcome, func.sum(IntakeRow.spans), func.sum(IntakeRow.bytes), func.max(IntakeRow.last_at))
        .where(IntakeRow.workspace_id == ctx.workspace_id, IntakeRow.hour >= since)
        .group_by(IntakeRow.outcome)
    )
    return [IntakeCount(outcome, int(spans), int(size), last_at) for outcome, spans, size, last_at in rows]


async def heard_since(unit: UnitOfWork, since: datetime) -> list[tuple[str, str]]:
    """(account id, workspace id) of the workspaces that received something since `since`."""
    query = select(IntakeRow.account_id, IntakeRow.workspace_id).where(IntakeRow.last_at >= since).distinct()
    return [(account_id, workspace_id) for account_id, workspace_id in await unit.session.execute(query)]


async def oldest_waiting(ctx: Context) -> datetime | None:
    """When the workspace's oldest body in the inbox arrived; None when none waits."""
    return await ctx.session.scalar(
        select(func.min(InboxRow.received_at)).where(
            InboxRow.workspace_id == ctx.workspace_id, InboxRow.failure.is_(None)
        )
    )


async def waiting(unit: UnitOfWork, workspace_id: str) -> tuple[int, int] | None:
    """The first and the last id of the workspace's bodies that wait; None when none waits."""
    bounds = select(func.min(InboxRow.id), func.max(InboxRow.id)).where(
        InboxRow.workspace_id == workspace_id, InboxRow.failure.is_(None)
    )
    row: Any = (await unit.session.execute(bounds)).one()
    return None if row[0] is None else (row[0], row[1])


def _counts(arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
    merged: dict[tuple[str, datetime, str], dict[str, Any]] = {}
    for arrival in arrivals:
        hour = arrival.received_at.replace(minute=0, second=0, microsecond=0)
        for outcome, spans in arrival.outcomes.items():
            row = merged.setdefault(
                (arrival.workspace_id, hour, outcome.value),
                {
                    "account_id": arrival.account_id,
                    "workspace_id": arrival.workspace_id,
                    "hour": hour,
                    "outcome": outcome.value,
                    "spans": 0,
                    "bytes": 0,
                    "last_at": arrival.received_at,
                },
            )
            row["spans"] += spans
            row["bytes"] += arrival.size if outcome is Outcome.ACCEPTED else 0
            row["last_at"] = max(row["last_at"], arrival.received_at)
    # One order for everybody, so that two processes that count at the same time cannot lock each other out.
    return [merged[key] for key in sorted(merged)]


@cache
def _counting(engine_name: str) -> Any:
    statement: Any = postgresql_insert(_INTAKE) if engine_name == "postgresql" else sqlite_insert(_INTAKE)
    return statement.on_conflict_do_update(
        index_elements=["workspace_id", "hour", "outcome"],
        set_={
            "spans": _INTAKE.c.spans + statement.excluded.spans,
            "bytes": _INTAKE.c.bytes + statement.excluded.bytes,
            "last_at": statement.excluded.last_at,
        },
    )
