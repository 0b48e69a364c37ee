# pyright: basic
"""Foundation.

Revision: 0001, after: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from specloop.db.base import JSONDoc, Payload, UTCDateTime
from specloop.db.migrations.row_security import protect

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Foundation."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("plan", sa.String(length=30), nullable=False),
        sa.Column("settings", JSONDoc, nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "agent_templates",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=20000), nullable=True),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_templates")),
    )
    op.create_index(op.f("ix_agent_templates_workspace_id"), "agent_templates", ["workspace_id"], unique=False)
    op.create_index("uq_agent_templates_name", "agent_templates", ["workspace_id", "name"], unique=True)
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=True),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_name", sa.String(length=254), nullable=False),
        sa.Column("action", sa.String(length=100), nullable=False),
        sa.Column("target_type", sa.String(length=60), nullable=False),
        sa.Column("target_id", sa.String(length=200), nullable=False),
        sa.Column("detail", JSONDoc, nullable=False),
        sa.Column("request_id", sa.String(length=200), nullable=False),
        sa.Column("client_ip", sa.String(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index("ix_audit_events_account", "audit_events", ["account_id", "id"], unique=False)
    op.create_index("ix_audit_events_workspace", "audit_events", ["workspace_id", "id"], unique=False)
    op.create_table(
        "changesets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scan_id", sa.String(length=36), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("labels", JSONDoc, nullable=False),
        sa.Column("agent_ids", JSONDoc, nullable=False),
        sa.Column("base_versions", JSONDoc, nullable=False),
        sa.Column("candidate_hashes", JSONDoc, nullable=False),
        sa.Column("clusters_addressed", JSONDoc, nullable=False),
        sa.Column("sample_set_version_id", sa.String(length=36), nullable=True),
        sa.Column("objective_version_id", sa.String(length=36), nullable=True),
        sa.Column("metrics", JSONDoc, nullable=False),
        sa.Column("evidence", JSONDoc, nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("verdict_binding", JSONDoc, nullable=False),
        sa.Column("gates", JSONDoc, nullable=False),
        sa.Column("risk", sa.String(length=10), nullable=False),
        sa.Column("risk_reasons", JSONDoc, nullable=False),
        sa.Column("autonomy_decision", JSONDoc, nullable=False),
        sa.Column("result_versions", JSONDoc, nullable=False),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("applied_by", sa.String(length=36), nullable=True),
        sa.Column("applied_at", UTCDateTime(), nullable=True),
        sa.Column("rollback_of", sa.String(length=36), nullable=True),
        sa.Column("superseded_by", sa.String(length=36), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changesets")),
    )
    op.create_index("ix_changesets_scan", "changesets", ["scan_id"], unique=False)
    op.create_index(op.f("ix_changesets_workspace_id"), "changesets", ["workspace_id"], unique=False)
    op.create_index("ix_changesets_workspace_status", "changesets", ["workspace_id", "status", "id"], unique=False)
    op.create_table(
        "holdout_looks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sample_set_version_id", sa.String(length=36), nullable=False),
        sa.Column("look", sa.Integer(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("run_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holdout_looks")),
        sa.UniqueConstraint("sample_set_version_id", "look", name=op.f("uq_holdout_looks_sample_set_version_id_look")),
    )
    op.create_index(op.f("ix_holdout_looks_workspace_id"), "holdout_looks", ["workspace_id"], unique=False)
    op.create_table(
        "idempotency_replies",
        sa.Column("principal", sa.String(length=64), nullable=False),
        sa.Column("route", sa.String(length=400), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", JSONDoc, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("principal", "route", "key", name=op.f("pk_idempotency_replies")),
    )
    op.create_index(op.f("ix_idempotency_replies_created_at"), "idempotency_replies", ["created_at"], unique=False)
    op.create_table(
        "job_outbox",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("payload", JSONDoc, nullable=False),
        sa.Column("principal", JSONDoc, nullable=False),
        sa.Column("tenant_account_id", sa.String(length=36), nullable=False),
        sa.Column("tenant_workspace_id", sa.String(length=36), nullable=False),
        sa.Column("dedupe_key", sa.String(length=400), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("run_at", UTCDateTime(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("steps_seen", sa.Integer(), nullable=False),
        sa.Column("worker_id", sa.String(length=80), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("cancel_requested_at", UTCDateTime(), nullable=True),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("progress_note", sa.Text(), nullable=False),
        sa.Column("error_code", sa.String(length=80), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.Column("error_incident", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_outbox")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_job_outbox_dedupe_key")),
    )
    op.create_index("ix_job_outbox_due", "job_outbox", ["state", "queue", "run_at"], unique=False)
    op.create_index("ix_job_outbox_lease", "job_outbox", ["state", "lease_until"], unique=False)
    op.create_index("ix_job_outbox_tenant", "job_outbox", ["tenant_workspace_id", "id"], unique=False)
    op.create_table(
        "job_schedules",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("cron", sa.String(length=120), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("job_name", sa.String(length=120), nullable=False),
        sa.Column("queue", sa.String(length=20), nullable=False),
        sa.Column("payload", JSONDoc, nullable=False),
        sa.Column("principal", JSONDoc, nullable=False),
        sa.Column("is_built_in", sa.Boolean(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("next_at", UTCDateTime(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job_schedules")),
    )
    op.create_index(op.f("ix_job_schedules_next_at"), "job_schedules", ["next_at"], unique=False)
    op.create_table(
        "oauth_attempts",
        sa.Column("state_digest", sa.String(length=64), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("code_verifier", sa.String(length=128), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("redirect_uri", sa.String(length=400), nullable=False),
        sa.Column("browser_digest", sa.String(length=64), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("state_digest", name=op.f("pk_oauth_attempts")),
    )
    op.create_index(op.f("ix_oauth_attempts_expires_at"), "oauth_attempts", ["expires_at"], unique=False)
    op.create_table(
        "objectives",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objectives")),
    )
    op.create_index(op.f("ix_objectives_workspace_id"), "objectives", ["workspace_id"], unique=False)
    op.create_table(
        "otlp_inbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("failure", sa.String(length=500), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_otlp_inbox")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_otlp_inbox_workspace_id"), "otlp_inbox", ["workspace_id"], unique=False)
    op.create_table(
        "otlp_intake",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("hour", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("spans", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "hour", "outcome", name=op.f("pk_otlp_intake")),
    )
    op.create_table(
        "rubrics",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("active_version", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rubrics")),
    )
    op.create_index(op.f("ix_rubrics_workspace_id"), "rubrics", ["workspace_id"], unique=False)
    op.create_table(
        "sample_sets",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("labels", JSONDoc, nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_sets")),
    )
    op.create_index("ix_sample_sets_workspace_created", "sample_sets", ["workspace_id", "created_at"], unique=False)
    op.create_index(op.f("ix_sample_sets_workspace_id"), "sample_sets", ["workspace_id"], unique=False)
    op.create_table(
        "scans",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("labels", JSONDoc, nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("sample_set_id", sa.String(length=36), nullable=False),
        sa.Column("sample_set_version_id", sa.String(length=36), nullable=False),
        sa.Column("objective_id", sa.String(length=36), nullable=False),
        sa.Column("objective_version_id", sa.String(length=36), nullable=False),
        sa.Column("retry_of", sa.String(length=36), nullable=True),
        sa.Column("plan", JSONDoc, nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=True),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.Column("is_pause_requested", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("progress_done", sa.Integer(), nullable=False),
        sa.Column("progress_total", sa.Integer(), nullable=False),
        sa.Column("readiness", JSONDoc, nullable=False),
        sa.Column("results", JSONDoc, nullable=False),
        sa.Column("used", JSONDoc, nullable=False),
        sa.Column("timings", JSONDoc, nullable=False),
        sa.Column("engine_versions", JSONDoc, nullable=False),
        sa.Column("draft_insight", JSONDoc, nullable=False),
        sa.Column("error", JSONDoc, nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scans")),
    )
    op.create_index("ix_scans_agent_status", "scans", ["agent_id", "status"], unique=False)
    op.create_index(op.f("ix_scans_sample_set_id"), "scans", ["sample_set_id"], unique=False)
    op.create_index("ix_scans_workspace_created", "scans", ["workspace_id", "created_at"], unique=False)
    op.create_index(op.f("ix_scans_workspace_id"), "scans", ["workspace_id"], unique=False)
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("public_jwk", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("retired_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_signing_keys")),
    )
    op.create_table(
        "usage_records",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scan_id", sa.String(length=36), nullable=True),
        sa.Column("run_id", sa.String(length=36), nullable=True),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("cache_hits", sa.BigInteger(), nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), nullable=False),
        sa.Column("cached_in", sa.BigInteger(), nullable=False),
        sa.Column("micro_usd", sa.BigInteger(), nullable=True),
        sa.Column("wall_ms", sa.Double(), nullable=False),
        sa.Column("price_source", sa.String(length=10), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_records")),
    )
    op.create_index("ix_usage_records_scan", "usage_records", ["scan_id"], unique=False)
    op.create_index(op.f("ix_usage_records_workspace_id"), "usage_records", ["workspace_id"], unique=False)
    op.create_table(
        "validation_runs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("sample_set_version_id", sa.String(length=36), nullable=False),
        sa.Column("objective_version_id", sa.String(length=36), nullable=False),
        sa.Column("binding", JSONDoc, nullable=False),
        sa.Column("result", JSONDoc, nullable=False),
        sa.Column("error", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_validation_runs")),
    )
    op.create_index("ix_validation_runs_changeset", "validation_runs", ["changeset_id", "id"], unique=False)
    op.create_index(op.f("ix_validation_runs_workspace_id"), "validation_runs", ["workspace_id"], unique=False)
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("description", sa.String(length=2000), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("is_system", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("autonomy", JSONDoc, nullable=False),
        sa.Column("retention", JSONDoc, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("archived_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspaces")),
    )
    op.create_index("ix_workspaces_account", "workspaces", ["account_id", "id"], unique=False)
    op.create_table(
        "account_exports",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("blob_digest", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_exports_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_exports")),
    )
    op.create_index(op.f("ix_account_exports_account_id"), "account_exports", ["account_id"], unique=False)
    op.create_table(
        "agent_template_versions",
        sa.Column("template_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("config", JSONDoc, nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["agent_templates.id"],
            name=op.f("fk_agent_template_versions_template_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_agent_template_versions")),
    )
    op.create_index(
        op.f("ix_agent_template_versions_workspace_id"), "agent_template_versions", ["workspace_id"], unique=False
    )
    op.create_table(
        "agents",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("slug", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=100), nullable=True),
        sa.Column("description", sa.String(length=20000), nullable=True),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("runtime", JSONDoc, nullable=False),
        sa.Column("match", JSONDoc, nullable=False),
        sa.Column("template_id", sa.String(length=36), nullable=True),
        sa.Column("template_mode", sa.String(length=20), nullable=True),
        sa.Column("template_version", sa.Integer(), nullable=True),
        sa.Column("promoted_version", sa.Integer(), nullable=False),
        sa.Column("latest_version", sa.Integer(), nullable=False),
        sa.Column("components", JSONDoc, nullable=False),
        sa.Column("has_declared_components", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["agent_templates.id"], name=op.f("fk_agents_template_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
    )
    op.create_index("ix_agents_template", "agents", ["template_id"], unique=False)
    op.create_index(op.f("ix_agents_workspace_id"), "agents", ["workspace_id"], unique=False)
    op.create_index(
        "uq_agents_name",
        "agents",
        ["workspace_id", "name"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index(
        "uq_agents_slug",
        "agents",
        ["workspace_id", "slug"],
        unique=True,
        sqlite_where=sa.text("status = 'active'"),
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=20), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("last_used_at", UTCDateTime(), nullable=True),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("rotated_from", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_api_keys_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_keys_digest")),
    )
    op.create_index(op.f("ix_api_keys_workspace_id"), "api_keys", ["workspace_id"], unique=False)
    op.create_table(
        "changeset_agents",
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset_id"], ["changesets.id"], name=op.f("fk_changeset_agents_changeset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("changeset_id", "agent_id", name=op.f("pk_changeset_agents")),
    )
    op.create_index(op.f("ix_changeset_agents_agent_id"), "changeset_agents", ["agent_id"], unique=False)
    op.create_index(op.f("ix_changeset_agents_workspace_id"), "changeset_agents", ["workspace_id"], unique=False)
    op.create_table(
        "changeset_comments",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("author", sa.String(length=36), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset_id"], ["changesets.id"], name=op.f("fk_changeset_comments_changeset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changeset_comments")),
    )
    op.create_index(op.f("ix_changeset_comments_changeset_id"), "changeset_comments", ["changeset_id"], unique=False)
    op.create_index(op.f("ix_changeset_comments_workspace_id"), "changeset_comments", ["workspace_id"], unique=False)
    op.create_table(
        "changeset_decisions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("verb", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset_id"], ["changesets.id"], name=op.f("fk_changeset_decisions_changeset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changeset_decisions")),
    )
    op.create_index(op.f("ix_changeset_decisions_changeset_id"), "changeset_decisions", ["changeset_id"], unique=False)
    op.create_index(op.f("ix_changeset_decisions_workspace_id"), "changeset_decisions", ["workspace_id"], unique=False)
    op.create_table(
        "changeset_edits",
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("pointer", sa.Text(), nullable=False),
        sa.Column("op", sa.String(length=10), nullable=False),
        sa.Column("before", Payload(), nullable=True),
        sa.Column("after", Payload(), nullable=True),
        sa.Column("diff", sa.Text(), nullable=False),
        sa.Column("operator", sa.String(length=60), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("evidence", JSONDoc, nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset_id"], ["changesets.id"], name=op.f("fk_changeset_edits_changeset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("changeset_id", "ordinal", name=op.f("pk_changeset_edits")),
    )
    op.create_index(op.f("ix_changeset_edits_workspace_id"), "changeset_edits", ["workspace_id"], unique=False)
    op.create_table(
        "changeset_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("changeset_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(length=60), nullable=False),
        sa.Column("actor", sa.String(length=36), nullable=False),
        sa.Column("data", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["changeset_id"], ["changesets.id"], name=op.f("fk_changeset_events_changeset_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changeset_events")),
        sa.UniqueConstraint("changeset_id", "seq", name=op.f("uq_changeset_events_changeset_id_seq")),
    )
    op.create_index(op.f("ix_changeset_events_workspace_id"), "changeset_events", ["workspace_id"], unique=False)
    op.create_table(
        "failure_clusters",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("severity", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("body", JSONDoc, nullable=False),
        sa.Column("is_curated", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_failure_clusters_scan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure_clusters")),
    )
    op.create_index("ix_failure_clusters_scan", "failure_clusters", ["scan_id", "ordinal"], unique=False)
    op.create_index(op.f("ix_failure_clusters_workspace_id"), "failure_clusters", ["workspace_id"], unique=False)
    op.create_table(
        "invites",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("account_role", sa.String(length=20), nullable=False),
        sa.Column("workspaces", JSONDoc, nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("accepted_by", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_invites_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_invites_token_digest")),
    )
    op.create_index("ix_invites_account_email", "invites", ["account_id", "email"], unique=False)
    op.create_table(
        "job_steps",
        sa.Column("job_id", sa.String(length=36), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("result", JSONDoc, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["job_outbox.id"], name=op.f("fk_job_steps_job_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_id", "key", name=op.f("pk_job_steps")),
    )
    op.create_table(
        "objective_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("objective_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("body", JSONDoc, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("activated_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["objective_id"], ["objectives.id"], name=op.f("fk_objective_versions_objective_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objective_versions")),
        sa.UniqueConstraint("objective_id", "version", name=op.f("uq_objective_versions_objective_id_version")),
    )
    op.create_index(op.f("ix_objective_versions_workspace_id"), "objective_versions", ["workspace_id"], unique=False)
    op.create_table(
        "rubric_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("rubric_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("dimensions", JSONDoc, nullable=False),
        sa.Column("aggregation", sa.String(length=20), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("activated_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["rubric_id"], ["rubrics.id"], name=op.f("fk_rubric_versions_rubric_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rubric_versions")),
        sa.UniqueConstraint("rubric_id", "version", name=op.f("uq_rubric_versions_rubric_id_version")),
    )
    op.create_index(op.f("ix_rubric_versions_workspace_id"), "rubric_versions", ["workspace_id"], unique=False)
    op.create_table(
        "sample_set_versions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("set_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("split", JSONDoc, nullable=False),
        sa.Column("leakage", JSONDoc, nullable=False),
        sa.Column("counts", JSONDoc, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("is_sealed", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("frozen_at", UTCDateTime(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["set_id"], ["sample_sets.id"], name=op.f("fk_sample_set_versions_set_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_set_versions")),
        sa.UniqueConstraint("set_id", "version", name=op.f("uq_sample_set_versions_set_id_version")),
    )
    op.create_index(op.f("ix_sample_set_versions_workspace_id"), "sample_set_versions", ["workspace_id"], unique=False)
    op.create_table(
        "scan_candidates",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("parent_ids", JSONDoc, nullable=False),
        sa.Column("operator", sa.String(length=60), nullable=False),
        sa.Column("edits", JSONDoc, nullable=False),
        sa.Column("components", JSONDoc, nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("mb_score", sa.Double(), nullable=True),
        sa.Column("val_score", sa.Double(), nullable=True),
        sa.Column("objective_scores", JSONDoc, nullable=False),
        sa.Column("on_frontier", sa.Boolean(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("reject_reason", sa.String(length=60), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_scan_candidates_scan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan_candidates")),
        sa.UniqueConstraint("scan_id", "ordinal", name=op.f("uq_scan_candidates_scan_id_ordinal")),
    )
    op.create_index(op.f("ix_scan_candidates_workspace_id"), "scan_candidates", ["workspace_id"], unique=False)
    op.create_table(
        "scan_checkpoints",
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=False),
        sa.Column("state", JSONDoc, nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_scan_checkpoints_scan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scan_id", "phase", name=op.f("pk_scan_checkpoints")),
    )
    op.create_index(op.f("ix_scan_checkpoints_workspace_id"), "scan_checkpoints", ["workspace_id"], unique=False)
    op.create_table(
        "scan_evaluations",
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("candidate_id", sa.String(length=36), nullable=False),
        sa.Column("split", sa.String(length=10), nullable=False),
        sa.Column("packed", JSONDoc, nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scans.id"], name=op.f("fk_scan_evaluations_scan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scan_id", "candidate_id", "split", name=op.f("pk_scan_evaluations")),
    )
    op.create_index(op.f("ix_scan_evaluations_workspace_id"), "scan_evaluations", ["workspace_id"], unique=False)
    op.create_table(
        "scan_events",
        sa.Column("scan_id", sa.String(length=36), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ts", UTCDateTime(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("phase", sa.String(length=20), nullable=True),
        sa.Column("level", sa.String(length=10), nullable=False),
        sa.Column("data", JSONDoc, nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["scan_id"], ["scans.id"], name=op.f("fk_scan_events_scan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("scan_id", "seq", name=op.f("pk_scan_events")),
    )
    op.create_index(op.f("ix_scan_events_workspace_id"), "scan_events", ["workspace_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("email_verified_at", UTCDateTime(), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("last_sign_in_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_users_account_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        sa.UniqueConstraint("email", name=op.f("uq_users_email")),
    )
    op.create_index(op.f("ix_users_account_id"), "users", ["account_id"], unique=False)
    op.create_table(
        "workspace_members",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_workspace_members_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "user_id", name=op.f("pk_workspace_members")),
    )
    op.create_index(op.f("ix_workspace_members_user_id"), "workspace_members", ["user_id"], unique=False)
    op.create_table(
        "workspace_webhooks",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("events", JSONDoc, nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("last_event_id", sa.String(length=36), nullable=False),
        sa.Column("last_sent_at", UTCDateTime(), nullable=True),
        sa.Column("failing_since", UTCDateTime(), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspaces.id"], name=op.f("fk_workspace_webhooks_workspace_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workspace_webhooks")),
    )
    op.create_index(op.f("ix_workspace_webhooks_workspace_id"), "workspace_webhooks", ["workspace_id"], unique=False)
    op.create_table(
        "account_members",
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("operations_scopes", JSONDoc, nullable=False),
        sa.Column("joined_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_account_members_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_account_members_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_account_members")),
    )
    op.create_index(op.f("ix_account_members_user_id"), "account_members", ["user_id"], unique=False)
    op.create_table(
        "agent_config_versions",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("parent_version", sa.Integer(), nullable=True),
        sa.Column("config", JSONDoc, nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("changeset_id", sa.String(length=36), nullable=True),
        sa.Column("note", sa.String(length=2000), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_agent_config_versions_agent_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "version", name=op.f("pk_agent_config_versions")),
    )
    op.create_index(
        op.f("ix_agent_config_versions_workspace_id"), "agent_config_versions", ["workspace_id"], unique=False
    )
    op.create_table(
        "agent_dependencies",
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("depends_on_id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name=op.f("fk_agent_dependencies_agent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["depends_on_id"], ["agents.id"], name=op.f("fk_agent_dependencies_depends_on_id")),
        sa.PrimaryKeyConstraint("agent_id", "depends_on_id", name=op.f("pk_agent_dependencies")),
    )
    op.create_index(op.f("ix_agent_dependencies_depends_on_id"), "agent_dependencies", ["depends_on_id"], unique=False)
    op.create_index(op.f("ix_agent_dependencies_workspace_id"), "agent_dependencies", ["workspace_id"], unique=False)
    op.create_table(
        "auth_sessions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("method", sa.String(length=60), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("client_ip", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("last_used_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.Column("revoked_because", sa.String(length=60), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_auth_sessions_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auth_sessions")),
    )
    op.create_index(op.f("ix_auth_sessions_user_id"), "auth_sessions", ["user_id"], unique=False)
    op.create_table(
        "cluster_members",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("cluster_id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("sample_id", sa.String(length=36), nullable=True),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column("excerpt", sa.Text(), nullable=False),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["failure_clusters.id"], name=op.f("fk_cluster_members_cluster_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cluster_members")),
    )
    op.create_index("ix_cluster_members_cluster", "cluster_members", ["cluster_id", "ordinal"], unique=False)
    op.create_index(op.f("ix_cluster_members_workspace_id"), "cluster_members", ["workspace_id"], unique=False)
    op.create_table(
        "external_identities",
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_external_identities_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("provider", "subject", name=op.f("pk_external_identities")),
    )
    op.create_index(op.f("ix_external_identities_user_id"), "external_identities", ["user_id"], unique=False)
    op.create_table(
        "holdout_samples",
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("input", Payload(), nullable=True),
        sa.Column("reference", Payload(), nullable=True),
        sa.Column("details", JSONDoc, nullable=False),
        sa.Column("group_key", sa.String(length=200), nullable=True),
        sa.Column("cohort", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sample_set_versions.id"], name=op.f("fk_holdout_samples_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "id", name=op.f("pk_holdout_samples")),
    )
    op.create_index("ix_holdout_samples_version", "holdout_samples", ["version_id", "ordinal"], unique=False)
    op.create_index(op.f("ix_holdout_samples_workspace_id"), "holdout_samples", ["workspace_id"], unique=False)
    op.create_table(
        "one_time_tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_one_time_tokens_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_one_time_tokens")),
    )
    op.create_index(op.f("ix_one_time_tokens_user_id"), "one_time_tokens", ["user_id"], unique=False)
    op.create_table(
        "samples",
        sa.Column("split", sa.String(length=10), nullable=False),
        sa.Column("version_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("input", Payload(), nullable=True),
        sa.Column("reference", Payload(), nullable=True),
        sa.Column("details", JSONDoc, nullable=False),
        sa.Column("group_key", sa.String(length=200), nullable=True),
        sa.Column("cohort", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("trace_id", sa.String(length=32), nullable=True),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["sample_set_versions.id"], name=op.f("fk_samples_version_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", "id", name=op.f("pk_samples")),
    )
    op.create_index("ix_samples_version_split", "samples", ["version_id", "split", "ordinal"], unique=False)
    op.create_index(op.f("ix_samples_workspace_id"), "samples", ["workspace_id"], unique=False)
    op.create_table(
        "agent_promotions",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("agent_id", sa.String(length=36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("previous_version", sa.Integer(), nullable=True),
        sa.Column("promoted_at", UTCDateTime(), nullable=False),
        sa.Column("promoted_by", sa.String(length=36), nullable=True),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id", "version"],
            ["agent_config_versions.agent_id", "agent_config_versions.version"],
            name=op.f("fk_agent_promotions_agent_id_version"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_promotions")),
    )
    op.create_index("ix_agent_promotions_agent", "agent_promotions", ["agent_id", "id"], unique=False)
    op.create_index(op.f("ix_agent_promotions_workspace_id"), "agent_promotions", ["workspace_id"], unique=False)
    op.create_table(
        "refresh_tokens",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["auth_sessions.id"], name=op.f("fk_refresh_tokens_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_refresh_tokens")),
    )
    op.create_index(op.f("ix_refresh_tokens_session_id"), "refresh_tokens", ["session_id"], unique=False)
    protect(
        [
            "agent_config_versions",
            "agent_dependencies",
            "agent_promotions",
            "agent_template_versions",
            "agent_templates",
            "agents",
            "api_keys",
            "changeset_agents",
            "changeset_comments",
            "changeset_decisions",
            "changeset_edits",
            "changeset_events",
            "changesets",
            "cluster_members",
            "failure_clusters",
            "holdout_looks",
            "holdout_samples",
            "objective_versions",
            "objectives",
            "otlp_inbox",
            "otlp_intake",
            "rubric_versions",
            "rubrics",
            "sample_set_versions",
            "sample_sets",
            "samples",
            "scan_candidates",
            "scan_checkpoints",
            "scan_evaluations",
            "scan_events",
            "scans",
            "usage_records",
            "validation_runs",
            "workspace_members",
            "workspace_webhooks",
        ]
    )
