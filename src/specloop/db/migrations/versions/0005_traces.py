"""Trace feedback, annotations and exports.

Revision: 0005, after: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from specloop.db.base import JSONDoc, Payload, UTCDateTime
from specloop.db.migrations.row_security import protect

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "trace_feedback",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("user_ref", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("value", Payload(), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_feedback")),
        sa.UniqueConstraint(
            "workspace_id", "trace_id", "span_id", "user_ref", "kind", "name", name="uq_trace_feedback_once"
        ),
    )
    op.create_index(op.f("ix_trace_feedback_workspace_id"), "trace_feedback", ["workspace_id"], unique=False)
    op.create_index("ix_trace_feedback_recent", "trace_feedback", ["workspace_id", "created_at"], unique=False)
    op.create_table(
        "trace_annotations",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=False),
        sa.Column("span_id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("annotator", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=True),
        sa.Column("explanation", sa.Text(), nullable=True),
        sa.Column("details", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_annotations")),
    )
    op.create_index(op.f("ix_trace_annotations_workspace_id"), "trace_annotations", ["workspace_id"], unique=False)
    op.create_index("ix_trace_annotations_trace", "trace_annotations", ["workspace_id", "trace_id"], unique=False)
    op.create_table(
        "trace_exports",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("format", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("conditions", JSONDoc, nullable=False),
        sa.Column("traces", sa.Integer(), nullable=False),
        sa.Column("spans", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=80), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trace_exports")),
    )
    op.create_index(op.f("ix_trace_exports_workspace_id"), "trace_exports", ["workspace_id"], unique=False)
    protect(["trace_feedback", "trace_annotations", "trace_exports"])
