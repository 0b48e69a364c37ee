"""State tables of traces: bodies that wait for the telemetry store, counters of arrivals, opinions, and exports."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, JSONDoc, Payload, WorkspaceScoped

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


class FeedbackRow(WorkspaceScoped, Base):
    """What somebody thinks of a trace. `score` is `value` as a number in [0, 1] where it is one."""

    __tablename__ = "trace_feedback"
    __table_args__ = (
        UniqueConstraint(
            "workspace_id", "trace_id", "span_id", "user_ref", "kind", "name", name="uq_trace_feedback_once"
        ),
        Index("ix_trace_feedback_recent", "workspace_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    trace_id: Mapped[str] = mapped_column(String(32))
    span_id: Mapped[str] = mapped_column(String(16))
    user_ref: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(20))
    name: Mapped[str] = mapped_column(String(100))
    value: Mapped[Any] = mapped_column(Payload)
    score: Mapped[float | None] = mapped_column(Float)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))


class AnnotationRow(WorkspaceScoped, Base):
    """A judgement of a trace or span: score, label or explanation, by a person, a program or a model."""

    __tablename__ = "trace_annotations"
    __table_args__ = (Index("ix_trace_annotations_trace", "workspace_id", "trace_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    trace_id: Mapped[str] = mapped_column(String(32))
    span_id: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(100))
    annotator: Mapped[str] = mapped_column(String(20))
    score: Mapped[float | None] = mapped_column(Float)
    label: Mapped[str | None] = mapped_column(String(200))
    explanation: Mapped[str | None] = mapped_column(Text)
    details: Mapped[dict[str, Any]] = mapped_column(JSONDoc)
    created_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(String(80))


class ExportRow(WorkspaceScoped, Base):
    """Traces to be written to a file; `digest` names the finished one in the blob store."""

    __tablename__ = "trace_exports"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    format: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(20))
    conditions: Mapped[dict[str, Any]] = mapped_column(JSONDoc)
    traces: Mapped[int]
    spans: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str | None] = mapped_column(String(64))
    problem: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(80))
