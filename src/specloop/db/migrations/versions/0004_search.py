# pyright: basic
"""Session search.

Revision: 0004, after: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from specloop.db.base import UTCDateTime
from specloop.db.migrations.row_security import protect

revision = "0004"
down_revision = "0003"

# The words are cut before they come here, so the tokenizer only splits at spaces. The tables keep no text: to take
# words out again they must be shown the old text, which the triggers keep until the upload's end.
_SQLITE = (
    "CREATE VIRTUAL TABLE fts_words USING fts5(words, content='', tokenize='ascii')",
    "CREATE VIRTUAL TABLE fts_prefixes USING fts5(words, content='', detail=none, columnsize=0, tokenize='ascii')",
    "CREATE TABLE fts_changes (id INTEGER PRIMARY KEY AUTOINCREMENT, exchange_id TEXT NOT NULL,"
    " session_id TEXT NOT NULL, row_key INTEGER, body BLOB)",
    "CREATE INDEX fts_changes_session ON fts_changes (session_id)",
    "CREATE TRIGGER fts_exchange_added AFTER INSERT ON session_exchanges BEGIN"
    " INSERT INTO fts_changes (exchange_id, session_id) VALUES (NEW.id, NEW.session_id); END",
    "CREATE TRIGGER fts_exchange_removed AFTER DELETE ON session_exchanges BEGIN"
    " INSERT INTO fts_changes (exchange_id, session_id, row_key, body)"
    " SELECT OLD.id, OLD.session_id, number * 1048576 + OLD.order_number, OLD.body"
    " FROM search_sessions WHERE session_id = OLD.session_id; END",
    "CREATE TRIGGER fts_exchange_changed AFTER UPDATE OF id, session_id, order_number, body ON session_exchanges"
    " WHEN OLD.body IS NOT NEW.body OR OLD.order_number IS NOT NEW.order_number"
    " OR OLD.session_id IS NOT NEW.session_id OR OLD.id IS NOT NEW.id BEGIN"
    " INSERT INTO fts_changes (exchange_id, session_id, row_key, body)"
    " SELECT OLD.id, OLD.session_id, number * 1048576 + OLD.order_number, OLD.body"
    " FROM search_sessions WHERE session_id = OLD.session_id; END",
)


def upgrade() -> None:
    """Session search."""
    op.create_table(
        "search_sessions",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("owner_id", sa.String(length=36), nullable=False),
        sa.Column("active_at", UTCDateTime(), nullable=False),
        sa.Column("rules", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_search_sessions")),
        sa.UniqueConstraint("session_id", name="uq_search_sessions_session_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_search_sessions_recency", "search_sessions", ["workspace_id", "owner_id", "active_at", "number"]
    )
    op.create_table(
        "exchange_words",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("exchange_id", sa.String(length=36), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("part_count", sa.Integer(), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("row_key", sa.BigInteger(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("vector", postgresql.TSVECTOR().with_variant(sa.Text(), "sqlite"), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["session_exchanges.id"],
            name=op.f("fk_exchange_words_exchange_id_session_exchanges"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_id", "part", name=op.f("pk_exchange_words")),
    )
    op.create_index("ix_exchange_words_vector", "exchange_words", ["vector"], postgresql_using="gin")
    op.create_index("ix_exchange_words_session", "exchange_words", ["session_id"])
    op.create_table(
        "exchange_vectors",
        sa.Column("workspace_id", sa.String(length=36), nullable=False),
        sa.Column("exchange_id", sa.String(length=36), nullable=False),
        sa.Column("session_id", sa.String(length=36), nullable=False),
        sa.Column("row_key", sa.BigInteger(), nullable=False),
        sa.Column("text_sha256", sa.String(length=64), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["exchange_id"],
            ["session_exchanges.id"],
            name=op.f("fk_exchange_vectors_exchange_id_session_exchanges"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("exchange_id", name=op.f("pk_exchange_vectors")),
    )
    op.create_index("ix_exchange_vectors_session", "exchange_vectors", ["session_id"])
    protect(["exchange_vectors", "exchange_words", "search_sessions"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(sa.text(statement))
    else:
        # Long values go to the side table early, so that counting matches reads few pages.
        op.execute(sa.text("ALTER TABLE exchange_words SET (toast_tuple_target = 128)"))
