"""The tables of objectives: a name, and immutable versions of terms, authorities and constraints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class ObjectiveRow(WorkspaceScoped, Base):
    """An objective; `active_version` is what new scans take, `revision` its ETag."""

    __tablename__ = "objectives"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(Text, default="")
    is_archived: Mapped[bool] = mapped_column(default=False)
    latest_version: Mapped[int] = mapped_column(default=1)
    active_version: Mapped[int | None]
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(ID)


class ObjectiveVersionRow(WorkspaceScoped, Base):
    """One version: a draft may change, an active or archived one never does."""

    __tablename__ = "objective_versions"
    __table_args__ = (UniqueConstraint("objective_id", "version"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    objective_id: Mapped[str] = mapped_column(ForeignKey("objectives.id", ondelete="CASCADE"))
    version: Mapped[int]
    status: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]]
    content_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ID)
