"""The tables of sample sets. Holdout payloads lie in a table of their own, so that nothing reads them by accident.

Only `holdout.py` of this domain (custody and the audited reveal) and the repository of `validation` may read
`holdout_samples` (spectral.md §1.4 invariant 5).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, Payload, WorkspaceScoped


class SampleSetRow(WorkspaceScoped, Base):
    """A named collection of samples; `revision` is its ETag."""

    __tablename__ = "sample_sets"
    __table_args__ = (Index("ix_sample_sets_workspace_created", "workspace_id", "created_at"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[dict[str, Any]]
    latest_version: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(ID)


class SampleSetVersionRow(WorkspaceScoped, Base):
    """One version: draft while items change, frozen by its first use, then archived."""

    __tablename__ = "sample_set_versions"
    __table_args__ = (UniqueConstraint("set_id", "version"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    set_id: Mapped[str] = mapped_column(ForeignKey("sample_sets.id", ondelete="CASCADE"))
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    split: Mapped[dict[str, Any]]
    leakage: Mapped[dict[str, Any]]
    counts: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    is_sealed: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    frozen_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ID)


class SampleColumns(WorkspaceScoped):
    """What a sample is, wherever it lies. Ids stay the same from version to version.

    `cohort` is the effective group that the division found: near-duplicates share one.
    """

    version_id: Mapped[str] = mapped_column(ID, primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    ordinal: Mapped[int]
    input: Mapped[Any] = mapped_column(Payload, nullable=True)
    reference: Mapped[Any] = mapped_column(Payload, nullable=True)
    details: Mapped[dict[str, Any]]
    group_key: Mapped[str | None] = mapped_column(String(200))
    cohort: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(20))
    trace_id: Mapped[str | None] = mapped_column(String(32))
    content_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(ID)


class SampleRow(SampleColumns, Base):
    """A sample of the train or val part, or one that no split has placed yet (`split` is empty)."""

    __tablename__ = "samples"
    __table_args__ = (
        ForeignKeyConstraint(["version_id"], ["sample_set_versions.id"], ondelete="CASCADE"),
        Index("ix_samples_version_split", "version_id", "split", "ordinal"),
    )

    split: Mapped[str] = mapped_column(String(10), default="")


class HoldoutSampleRow(SampleColumns, Base):
    """A sealed sample."""

    __tablename__ = "holdout_samples"
    __table_args__ = (
        ForeignKeyConstraint(["version_id"], ["sample_set_versions.id"], ondelete="CASCADE"),
        Index("ix_holdout_samples_version", "version_id", "ordinal"),
    )
