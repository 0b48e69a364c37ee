"""State tables of trace ingestion: bodies that wait for the telemetry store, and counters of what arrived."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped

_COUNTER = BigInteger().with_variant(Integer(), "sqlite")


class InboxRow(WorkspaceScoped, Base):
    """One accepted request body. `failure` tells why the telemetry store refused it; such a row is kept, not retried.

    `size` stands before `body`, so that sums over it read no body.
    """

    __tablename__ = "otlp_inbox"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[int] = mapped_column(_COUNTER, primary_key=True, autoincrement=True)
    received_at: Mapped[datetime]
    size: Mapped[int]
    failure: Mapped[str | None] = mapped_column(String(500))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class IntakeRow(WorkspaceScoped, Base):
    """How many spans arrived in one hour with one outcome: `accepted`, or the reason of the refusal."""

    __tablename__ = "otlp_intake"

    workspace_id: Mapped[str] = mapped_column(ID, primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(String(40), primary_key=True)
    spans: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[datetime]
