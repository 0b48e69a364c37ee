"""Row-level security for tenant tables, called from migrations. PostgreSQL only; a no-op elsewhere.

A session sees the rows of the workspace that it named in `app.workspace_id`, or all of them when it named `*`.
A session that named nothing sees none. Superusers are above such policies, so their logins work as the role
`specloop_tenant` (see `specloop.db.database`).
"""

from __future__ import annotations

from collections.abc import Iterable

from alembic import op
from sqlalchemy import text

TENANT_ROLE = "specloop_tenant"


def protect(tables: Iterable[str]) -> None:
    """Force the workspace policy on `tables` and give the tenant role the use of the schema."""
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    visible = (
        "workspace_id = current_setting('app.workspace_id', true) OR current_setting('app.workspace_id', true) = '*'"
    )
    for table in tables:
        op.execute(text(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY'))
        op.execute(text(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'))
        op.execute(text(f'CREATE POLICY workspace ON "{table}" USING ({visible}) WITH CHECK ({visible})'))
    if connection.execute(text("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")).scalar():
        _grant_tenant_role()


def _grant_tenant_role() -> None:
    op.execute(
        text(
            f"DO $$ BEGIN CREATE ROLE {TENANT_ROLE} NOLOGIN;"
            " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
    )
    op.execute(text(f"GRANT USAGE ON SCHEMA public TO {TENANT_ROLE}"))
    op.execute(text(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {TENANT_ROLE}"))
    op.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {TENANT_ROLE}"))
    op.execute(
        text(
            f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {TENANT_ROLE}"
        )
    )
    op.execute(text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO {TENANT_ROLE}"))
