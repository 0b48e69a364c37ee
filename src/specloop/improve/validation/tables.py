"""The tables of holdout validation: runs, and the ledger of looks that each holdout version has spent."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class ValidationRunRow(WorkspaceScoped, Base):
    """One comparison of a candidate with its base on a sealed holdout; `binding` is what the verdict is bound to.

    `changeset_id` names the subject without a foreign key: change sets are a domain above this one.
    """

    __tablename__ = "validation_runs"
    __table_args__ = (Index("ix_validation_runs_changeset", "changeset_id", "id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    changeset_id: Mapped[str] = mapped_column(ID)
    status: Mapped[str] = mapped_column(String(20))
    verdict: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[str] = mapped_column(Text, default="")
    repeats: Mapped[int] = mapped_column(default=1)
    sample_set_version_id: Mapped[str] = mapped_column(ID)
    objective_version_id: Mapped[str] = mapped_column(ID)
    binding: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ID)


class HoldoutLookRow(WorkspaceScoped, Base):
    """One look at a holdout version. The unique number makes two validators racing for a look impossible."""

    __tablename__ = "holdout_looks"
    __table_args__ = (UniqueConstraint("sample_set_version_id", "look"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    sample_set_version_id: Mapped[str] = mapped_column(ID)
    look: Mapped[int]
    alpha: Mapped[float]
    run_id: Mapped[str] = mapped_column(ID)
    created_at: Mapped[datetime]
