"""State tables of projects: what a client calls a project, and the other ids under which it is known."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from sqlalchemy import ForeignKey, Index, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class ProjectRow(WorkspaceScoped, Base):
    """One project of one owner; `client_id` is the id in URLs, kept in the case in which it was sent."""

    __tablename__ = "projects"
    __table_args__ = (
        UniqueConstraint("workspace_id", "owner_id", "client_id", name="uq_projects_client_id"),
        Index("ix_projects_account", "account_id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ID)
    owner_id: Mapped[str] = mapped_column(ID)
    client_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(Text)
    icon: Mapped[str] = mapped_column(String(30))
    color: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ProjectAliasRow(WorkspaceScoped, Base):
    """Another client id of a project: the same repository may be known under two (specstory.md §6.1)."""

    __tablename__ = "project_aliases"
    __table_args__ = (Index("ix_project_aliases_project", "project_id"),)

    workspace_id: Mapped[str] = mapped_column(ID, primary_key=True)
    owner_id: Mapped[str] = mapped_column(ID, primary_key=True)
    alias: Mapped[str] = mapped_column(String(255), primary_key=True)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]


PROJECTS: Final = cast("Table", ProjectRow.__table__)
