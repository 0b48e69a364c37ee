"""The tables of durable work: the outbox of jobs, their exactly-once steps, and schedules.

The tenant columns are not called `workspace_id`: the dispatcher serves every workspace, so row-level security may not
hide rows from it. Reads on behalf of a caller are filtered in `repository`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base


class JobRow(Base):
    """A job: written in the transaction that asks for it, then moved along by workers."""

    __tablename__ = "job_outbox"
    __table_args__ = (
        Index("ix_job_outbox_due", "state", "queue", "run_at"),
        Index("ix_job_outbox_lease", "state", "lease_until"),
        Index("ix_job_outbox_tenant", "tenant_workspace_id", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    queue: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]]
    principal: Mapped[dict[str, Any]]
    tenant_account_id: Mapped[str] = mapped_column(ID, default="")
    tenant_workspace_id: Mapped[str] = mapped_column(ID, default="")
    dedupe_key: Mapped[str | None] = mapped_column(String(400), unique=True)
    state: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    run_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    losses: Mapped[int] = mapped_column(default=0)
    steps_seen: Mapped[int] = mapped_column(default=0)
    worker_id: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None]
    cancel_requested_at: Mapped[datetime | None]
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    progress_note: Mapped[str] = mapped_column(Text, default="")
    error_code: Mapped[str | None] = mapped_column(String(80))
    error_detail: Mapped[str | None] = mapped_column(Text)
    error_incident: Mapped[str | None] = mapped_column(ID)


class JobStepRow(Base):
    """The completion marker of a `transaction` step, committed together with the step's own effects."""

    __tablename__ = "job_steps"

    job_id: Mapped[str] = mapped_column(ForeignKey("job_outbox.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    result: Mapped[dict[str, Any]]
    attempt: Mapped[int]
    finished_at: Mapped[datetime]


class JobScheduleRow(Base):
    """When to enqueue a job again. Built-in ones come from the code, others from users."""

    __tablename__ = "job_schedules"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    cron: Mapped[str] = mapped_column(String(120))
    zone: Mapped[str] = mapped_column(String(64), default="UTC")
    job_name: Mapped[str] = mapped_column(String(120))
    queue: Mapped[str] = mapped_column(String(20))
    payload: Mapped[dict[str, Any]]
    principal: Mapped[dict[str, Any]]
    is_built_in: Mapped[bool]
    is_enabled: Mapped[bool] = mapped_column(default=True)
    next_at: Mapped[datetime] = mapped_column(index=True)
    last_at: Mapped[datetime | None]
