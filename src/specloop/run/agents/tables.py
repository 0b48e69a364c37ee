"""The tables of agents. Version rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped

_ACTIVE = text("status = 'active'")


class AgentRow(WorkspaceScoped, Base):
    """One agent. Names and slugs are unique among the active ones, so that an archived name can be used again."""

    __tablename__ = "agents"
    __table_args__ = (
        Index("uq_agents_name", "workspace_id", "name", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("uq_agents_slug", "workspace_id", "slug", unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE),
        Index("ix_agents_template", "template_id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(120))
    role: Mapped[str | None] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(20_000))
    origin: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    runtime: Mapped[dict[str, Any]]
    match: Mapped[dict[str, Any]]
    template_id: Mapped[str | None] = mapped_column(ForeignKey("agent_templates.id"))
    template_mode: Mapped[str | None] = mapped_column(String(20))
    template_version: Mapped[int | None]
    promoted_version: Mapped[int]
    latest_version: Mapped[int]
    components: Mapped[list[Any]]
    has_declared_components: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(ID)


class AgentDependencyRow(WorkspaceScoped, Base):
    """An edge of the acyclic graph `depends_on`."""

    __tablename__ = "agent_dependencies"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    depends_on_id: Mapped[str] = mapped_column(ForeignKey("agents.id"), primary_key=True, index=True)


class AgentConfigVersionRow(WorkspaceScoped, Base):
    """One immutable config version."""

    __tablename__ = "agent_config_versions"

    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    parent_version: Mapped[int | None]
    config: Mapped[dict[str, Any]]
    config_hash: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(20))
    changeset_id: Mapped[str | None] = mapped_column(ID)
    note: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(ID)


class AgentPromotionRow(WorkspaceScoped, Base):
    """When a version went live: the performance card and roll-back read this history."""

    __tablename__ = "agent_promotions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["agent_id", "version"],
            ["agent_config_versions.agent_id", "agent_config_versions.version"],
            ondelete="CASCADE",
        ),
        Index("ix_agent_promotions_agent", "agent_id", "id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    agent_id: Mapped[str] = mapped_column(ID)
    version: Mapped[int]
    previous_version: Mapped[int | None]
    promoted_at: Mapped[datetime]
    promoted_by: Mapped[str | None] = mapped_column(ID)


class ManagedTemplateRow(WorkspaceScoped, Base):
    """One template."""

    __tablename__ = "agent_templates"
    __table_args__ = (Index("uq_agent_templates_name", "workspace_id", "name", unique=True),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str | None] = mapped_column(String(20_000))
    latest_version: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(ID)


class TemplateVersionRow(WorkspaceScoped, Base):
    """One immutable state of a template."""

    __tablename__ = "agent_template_versions"

    template_id: Mapped[str] = mapped_column(ForeignKey("agent_templates.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    config: Mapped[dict[str, Any]]
    config_hash: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(String(2000), default="")
    created_at: Mapped[datetime]
    created_by: Mapped[str | None] = mapped_column(ID)
