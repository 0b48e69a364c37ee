"""First answers kept under an idempotency key, in the transaction that made them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import LargeBinary, String, delete, insert, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import Base
from specloop.db.context import Context

KEPT = timedelta(hours=24)


class ReplyRow(Base):
    """One claimed key; `status` is 0 while the first request runs."""

    __tablename__ = "idempotency_replies"

    principal: Mapped[str] = mapped_column(String(64), primary_key=True)
    route: Mapped[str] = mapped_column(String(400), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(index=True)


@dataclass(frozen=True, slots=True)
class Claim:
    """The principal, the route and the key that the client chose."""

    principal: str
    route: str
    key: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A kept answer."""

    body_hash: str
    status: int
    headers: dict[str, str]
    body: bytes


async def take(ctx: Context, claim: Claim, body_hash: str) -> Reply | None:
    """Take the key for this transaction (None), or return the answer that an earlier one kept.

    A second request with the same key waits for the first transaction to end.
    """
    await ctx.session.execute(delete(ReplyRow).where(ReplyRow.created_at < ctx.clock.now() - KEPT))
    values: dict[str, Any] = {
        "principal": claim.principal,
        "route": claim.route,
        "key": claim.key,
        "body_hash": body_hash,
        "status": 0,
        "headers": {},
        "body": b"",
        "created_at": ctx.clock.now(),
    }
    if ctx.uow.engine_name == "postgresql":
        # DO NOTHING waits for a concurrent owner of the key; RETURNING tells whether the key is now ours.
        statement = postgresql_insert(ReplyRow).values(values).on_conflict_do_nothing().returning(ReplyRow.key)
        if (await ctx.session.execute(statement)).first() is not None:
            return None
    elif await _find(ctx, claim) is None:
        await ctx.session.execute(insert(ReplyRow).values(values))
        return None
    row = await _find(ctx, claim)
    return None if row is None else Reply(row.body_hash, row.status, dict(row.headers), row.body)


async def find(ctx: Context, claim: Claim) -> Reply | None:
    """The answer that was kept under the key, without taking it."""
    row = await _find(ctx, claim)
    if row is None or row.status == 0 or row.created_at < ctx.clock.now() - KEPT:
        return None
    return Reply(row.body_hash, row.status, dict(row.headers), row.body)


async def keep(ctx: Context, claim: Claim, reply: Reply) -> None:
    """Write the answer under the claimed key."""
    await ctx.session.execute(
        update(ReplyRow)
        .where(ReplyRow.principal == claim.principal, ReplyRow.route == claim.route, ReplyRow.key == claim.key)
        .values(status=reply.status, headers=reply.headers, body=reply.body)
    )


async def _find(ctx: Context, claim: Claim) -> ReplyRow | None:
    return await ctx.session.get(ReplyRow, (claim.principal, claim.route, claim.key))
