"""State tables of recorded sessions: the session, its documents byte for byte, and what was derived from them.

Documents live here and not in the blob store, so that an upload is one transaction and a deletion leaves nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Table, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from specloop.db.base import ID, Base, WorkspaceScoped


class SessionRow(WorkspaceScoped, Base):
    """One recorded session of a coding agent, with its figures.

    `metadata_json` is what the client sent, as JSON bytes: a JSON column of PostgreSQL cannot keep NUL. `data_size`
    is NULL when no session data was ever sent. `content_digest` covers everything a client uploads. `shared_at` is
    since when the session has been open to those who know its link, NULL while it is private.
    """

    __tablename__ = "coding_sessions"
    __table_args__ = (
        UniqueConstraint("project_id", "client_id", name="uq_coding_sessions_client_id"),
        Index("ix_coding_sessions_active", "workspace_id", "owner_id", "active_at"),
        Index("ix_coding_sessions_client", "client_id"),
    )

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ID)
    owner_id: Mapped[str] = mapped_column(ID)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    client_id: Mapped[str] = mapped_column(String(128))
    name: Mapped[str] = mapped_column(Text)
    user_title: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    opening: Mapped[str | None] = mapped_column(Text)
    client_name: Mapped[str | None] = mapped_column(Text)
    client_version: Mapped[str | None] = mapped_column(Text)
    agent_name: Mapped[str | None] = mapped_column(Text)
    device_id: Mapped[str | None] = mapped_column(Text)
    machine_name: Mapped[str | None] = mapped_column(Text)
    slug: Mapped[str | None] = mapped_column(Text)
    schema_version: Mapped[str | None] = mapped_column(Text)
    markdown_version: Mapped[str | None] = mapped_column(Text)
    share_status: Mapped[str] = mapped_column(String(10))
    shared_at: Mapped[datetime | None]
    metadata_json: Mapped[bytes] = mapped_column(LargeBinary)
    models: Mapped[list[Any]]
    branches: Mapped[list[Any]]
    tags: Mapped[list[Any]]
    markdown_size: Mapped[int] = mapped_column(BigInteger)
    raw_size: Mapped[int] = mapped_column(BigInteger)
    data_size: Mapped[int | None] = mapped_column(BigInteger)
    is_parsed: Mapped[bool]
    parse_problem: Mapped[str | None] = mapped_column(Text)
    derivation: Mapped[int]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    active_at: Mapped[datetime]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    content_digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int]
    etag: Mapped[str] = mapped_column(String(64))
    exchange_count: Mapped[int]
    message_count: Mapped[int]
    tool_calls: Mapped[int]
    tool_errors: Mapped[int]
    has_error: Mapped[bool]
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[float | None]


class DocumentRow(WorkspaceScoped, Base):
    """One document of a session: `body` is Zstandard, `sha256` and `size` are of what the client sent."""

    __tablename__ = "session_documents"

    workspace_id: Mapped[str] = mapped_column(ID)
    session_id: Mapped[str] = mapped_column(ForeignKey("coding_sessions.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(12), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ExchangeRow(WorkspaceScoped, Base):
    """One user turn and everything until the next; `body` is its searchable text as Zstandard of UTF-8."""

    __tablename__ = "session_exchanges"
    __table_args__ = (Index("ix_session_exchanges_order", "session_id", "order_number"),)

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ID)
    session_id: Mapped[str] = mapped_column(ForeignKey("coding_sessions.id", ondelete="CASCADE"))
    order_number: Mapped[int]
    key: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    user_title: Mapped[str | None] = mapped_column(Text)
    hidden_from_share: Mapped[bool]
    has_error: Mapped[bool]
    text_length: Mapped[int]
    text_sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ValueRow(WorkspaceScoped, Base):
    """A model, branch, tag, file or tool of a session: what lists are filtered and counted by."""

    __tablename__ = "session_values"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    workspace_id: Mapped[str] = mapped_column(ID)
    session_id: Mapped[str] = mapped_column(ForeignKey("coding_sessions.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    value: Mapped[str] = mapped_column(String(1000), primary_key=True)
    count: Mapped[int]
    errors: Mapped[int]


class UsageRow(WorkspaceScoped, Base):
    """Tokens and cost of a session on one day (ISO date in UTC) with one model."""

    __tablename__ = "session_usage"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012

    workspace_id: Mapped[str] = mapped_column(ID)
    session_id: Mapped[str] = mapped_column(ForeignKey("coding_sessions.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    input_tokens: Mapped[int] = mapped_column(BigInteger)
    output_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_read_tokens: Mapped[int] = mapped_column(BigInteger)
    cache_write_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    cost_usd: Mapped[float | None]


SESSIONS: Final = cast("Table", SessionRow.__table__)
DOCUMENTS: Final = cast("Table", DocumentRow.__table__)
EXCHANGES: Final = cast("Table", ExchangeRow.__table__)
VALUES: Final = cast("Table", ValueRow.__table__)
USAGE: Final = cast("Table", UsageRow.__table__)
