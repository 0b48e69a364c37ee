"""The tables of scans: the run, its events, checkpoint, candidates, packed evaluations, clusters and usage.

Evaluations are packed, one row per candidate and split with an entry per sample: a scan makes tens of thousands, and
they are read one candidate at a time. Train and val only; holdout results never come here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class ScanRow(WorkspaceScoped, Base):
    """A scan; `plan` is everything it was asked for with all versions resolved, and never changes."""

    __tablename__ = "scans"
    __table_args__ = (
        Index("ix_scans_workspace_created", "workspace_id", "created_at"),
        Index("ix_scans_agent_status", "agent_id", "status"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(100), default="")
    labels: Mapped[dict[str, Any]]
    agent_id: Mapped[str] = mapped_column(ID)
    sample_set_id: Mapped[str] = mapped_column(ID, index=True)
    sample_set_version_id: Mapped[str] = mapped_column(ID)
    objective_id: Mapped[str] = mapped_column(ID)
    objective_version_id: Mapped[str] = mapped_column(ID)
    retry_of: Mapped[str | None] = mapped_column(ID)
    plan: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(String(20))
    phase: Mapped[str | None] = mapped_column(String(20))
    outcome: Mapped[str | None] = mapped_column(String(30))
    is_pause_requested: Mapped[bool] = mapped_column(default=False)
    attempt: Mapped[int] = mapped_column(default=0)
    progress_done: Mapped[int] = mapped_column(default=0)
    progress_total: Mapped[int] = mapped_column(default=0)
    readiness: Mapped[dict[str, Any]]
    results: Mapped[dict[str, Any]]
    used: Mapped[dict[str, Any]]
    timings: Mapped[dict[str, Any]]
    engine_versions: Mapped[dict[str, Any]]
    draft_insight: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any]]
    last_seq: Mapped[int] = mapped_column(default=0)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(ID)


class ScanEventRow(WorkspaceScoped, Base):
    """One event; `seq` runs 1, 2, 3 … without gaps."""

    __tablename__ = "scan_events"

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    ts: Mapped[datetime]
    type: Mapped[str] = mapped_column(String(40))
    phase: Mapped[str | None] = mapped_column(String(20))
    level: Mapped[str] = mapped_column(String(10))
    data: Mapped[dict[str, Any]]


class CheckpointRow(WorkspaceScoped, Base):
    """The last point from which a scan can go on: plain JSON, one row per scan and phase."""

    __tablename__ = "scan_checkpoints"

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)
    phase: Mapped[str] = mapped_column(String(20), primary_key=True)
    state: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime]


class CandidateRow(WorkspaceScoped, Base):
    """A config that the search tried."""

    __tablename__ = "scan_candidates"
    __table_args__ = (UniqueConstraint("scan_id", "ordinal"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    parent_ids: Mapped[list[Any]]
    operator: Mapped[str] = mapped_column(String(60))
    edits: Mapped[list[Any]]
    components: Mapped[dict[str, Any]]
    config_hash: Mapped[str] = mapped_column(String(64))
    mb_score: Mapped[float | None]
    val_score: Mapped[float | None]
    objective_scores: Mapped[dict[str, Any]]
    on_frontier: Mapped[bool] = mapped_column(default=False)
    accepted: Mapped[bool] = mapped_column(default=False)
    reject_reason: Mapped[str | None] = mapped_column(String(60))
    created_at: Mapped[datetime]


class EvaluationBatchRow(WorkspaceScoped, Base):
    """All evaluations of one candidate on one split; `packed` holds parallel lists, one entry per sample."""

    __tablename__ = "scan_evaluations"

    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)
    candidate_id: Mapped[str] = mapped_column(ID, primary_key=True)
    split: Mapped[str] = mapped_column(String(10), primary_key=True)
    packed: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class ClusterRow(WorkspaceScoped, Base):
    """A group of failures that look alike; `key` is the stable hash of its signature."""

    __tablename__ = "failure_clusters"
    __table_args__ = (Index("ix_failure_clusters_scan", "scan_id", "ordinal"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    scan_id: Mapped[str] = mapped_column(ForeignKey("scans.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    key: Mapped[str] = mapped_column(String(64))
    parent_id: Mapped[str | None] = mapped_column(ID)
    kind: Mapped[str] = mapped_column(String(60))
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    size: Mapped[int]
    share: Mapped[float]
    severity: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]]
    is_curated: Mapped[bool] = mapped_column(default=False)
    revision: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ClusterMemberRow(WorkspaceScoped, Base):
    """One failing evaluation in a cluster."""

    __tablename__ = "cluster_members"
    __table_args__ = (Index("ix_cluster_members_cluster", "cluster_id", "ordinal"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    cluster_id: Mapped[str] = mapped_column(ForeignKey("failure_clusters.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    sample_id: Mapped[str | None] = mapped_column(ID)
    trace_id: Mapped[str | None] = mapped_column(String(32))
    distance: Mapped[float]
    excerpt: Mapped[str] = mapped_column(Text)
    rationale: Mapped[str] = mapped_column(Text)


class UsageRow(WorkspaceScoped, Base):
    """What one purpose used of one model in one phase of a scan."""

    __tablename__ = "usage_records"
    __table_args__ = (Index("ix_usage_records_scan", "scan_id"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    scan_id: Mapped[str | None] = mapped_column(ID)
    run_id: Mapped[str | None] = mapped_column(ID)
    phase: Mapped[str] = mapped_column(String(20))
    purpose: Mapped[str] = mapped_column(String(20))
    provider: Mapped[str] = mapped_column(String(60))
    model: Mapped[str] = mapped_column(String(200))
    calls: Mapped[int] = mapped_column(BigInteger)
    cache_hits: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens_in: Mapped[int] = mapped_column(BigInteger, default=0)
    tokens_out: Mapped[int] = mapped_column(BigInteger, default=0)
    cached_in: Mapped[int] = mapped_column(BigInteger, default=0)
    micro_usd: Mapped[int | None] = mapped_column(BigInteger)
    wall_ms: Mapped[float] = mapped_column(default=0.0)
    price_source: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime]
