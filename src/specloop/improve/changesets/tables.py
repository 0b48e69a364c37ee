"""The tables of change sets: the proposal, its edits, decisions, events and comments. History is append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, Payload, WorkspaceScoped


class ChangeSetRow(WorkspaceScoped, Base):
    """A proposal; `evidence` holds the explainability object without what other columns know."""

    __tablename__ = "changesets"
    __table_args__ = (
        Index("ix_changesets_workspace_status", "workspace_id", "status", "id"),
        Index("ix_changesets_scan", "scan_id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    scan_id: Mapped[str | None] = mapped_column(ID)
    status: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    summary: Mapped[str] = mapped_column(Text, default="")
    labels: Mapped[dict[str, Any]]
    agent_ids: Mapped[list[Any]]
    base_versions: Mapped[dict[str, Any]]
    candidate_hashes: Mapped[dict[str, Any]]
    clusters_addressed: Mapped[list[Any]]
    sample_set_version_id: Mapped[str | None] = mapped_column(ID)
    objective_version_id: Mapped[str | None] = mapped_column(ID)
    metrics: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]
    verdict: Mapped[str | None] = mapped_column(String(20))
    verdict_binding: Mapped[dict[str, Any]]
    gates: Mapped[list[Any]]
    risk: Mapped[str] = mapped_column(String(10), default="low")
    risk_reasons: Mapped[list[Any]]
    autonomy_decision: Mapped[dict[str, Any]]
    result_versions: Mapped[dict[str, Any]]
    decided_by: Mapped[str | None] = mapped_column(ID)
    decided_at: Mapped[datetime | None]
    applied_by: Mapped[str | None] = mapped_column(ID)
    applied_at: Mapped[datetime | None]
    rollback_of: Mapped[str | None] = mapped_column(ID)
    superseded_by: Mapped[str | None] = mapped_column(ID)
    expires_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    created_by: Mapped[str] = mapped_column(ID)


class ChangeSetAgentRow(WorkspaceScoped, Base):
    """Which agents a change set touches, so that lists and overlap checks need no search in JSON."""

    __tablename__ = "changeset_agents"

    changeset_id: Mapped[str] = mapped_column(ForeignKey("changesets.id", ondelete="CASCADE"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ID, primary_key=True, index=True)


class EditRow(WorkspaceScoped, Base):
    """One edit of one place of an agent's config."""

    __tablename__ = "changeset_edits"

    changeset_id: Mapped[str] = mapped_column(ForeignKey("changesets.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    agent_id: Mapped[str] = mapped_column(ID)
    pointer: Mapped[str] = mapped_column(Text)
    op: Mapped[str] = mapped_column(String(10))
    before: Mapped[Any] = mapped_column(Payload, nullable=True)
    after: Mapped[Any] = mapped_column(Payload, nullable=True)
    diff: Mapped[str] = mapped_column(Text, default="")
    operator: Mapped[str] = mapped_column(String(60))
    rationale: Mapped[str] = mapped_column(Text, default="")
    evidence: Mapped[list[Any]]


class DecisionRow(WorkspaceScoped, Base):
    """Who decided what, and why."""

    __tablename__ = "changeset_decisions"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    changeset_id: Mapped[str] = mapped_column(ForeignKey("changesets.id", ondelete="CASCADE"), index=True)
    verb: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(ID)
    reason: Mapped[str] = mapped_column(Text, default="")
    detail: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ChangeSetEventRow(WorkspaceScoped, Base):
    """What happened to a change set; `seq` has no gaps."""

    __tablename__ = "changeset_events"
    __table_args__ = (UniqueConstraint("changeset_id", "seq"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    changeset_id: Mapped[str] = mapped_column(ForeignKey("changesets.id", ondelete="CASCADE"))
    seq: Mapped[int]
    type: Mapped[str] = mapped_column(String(60))
    actor: Mapped[str] = mapped_column(ID)
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class CommentRow(WorkspaceScoped, Base):
    """A remark under a change set."""

    __tablename__ = "changeset_comments"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    changeset_id: Mapped[str] = mapped_column(ForeignKey("changesets.id", ondelete="CASCADE"), index=True)
    author: Mapped[str] = mapped_column(ID)
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
