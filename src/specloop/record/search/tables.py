"""State tables of the search: numbers of sessions, the text index of PostgreSQL, the vectors of exchanges.

On SQLite the text index is in virtual tables (migration 0004, names that start with `fts_`), and `exchange_words` stays
empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from specloop.db.base import ID, Base, WorkspaceScoped

ROW_NUMBER = BigInteger().with_variant(Integer(), "sqlite")


class WordVector(TypeDecorator[str]):
    """A tsvector as its text; on SQLite, where none is ever stored, a text column."""

    impl = Text
    cache_ok = True

    @property
    def python_type(self) -> type[str]:
        """What its values are."""
        return str

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the engine."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())


class SearchedSessionRow(WorkspaceScoped, Base):
    """The number of a session, by which its exchanges are known in the text index, and when it was last active.

    `rules` names how its words were cut. No foreign key: the number must outlive the session until
    the index has let go of it.
    """

    __tablename__ = "search_sessions"
    __table_args__ = (
        UniqueConstraint("session_id", name="uq_search_sessions_session_id"),
        Index("ix_search_sessions_recency", "workspace_id", "owner_id", "active_at", "number"),
        {"sqlite_autoincrement": True},
    )

    number: Mapped[int] = mapped_column(ROW_NUMBER, primary_key=True, autoincrement=True)
    session_id: Mapped[str] = mapped_column(ID)
    workspace_id: Mapped[str] = mapped_column(ID)
    owner_id: Mapped[str] = mapped_column(ID)
    active_at: Mapped[datetime]
    rules: Mapped[str] = mapped_column(String(20))


class ExchangeWordsRow(WorkspaceScoped, Base):
    """The words of an exchange with their places, for PostgreSQL; a long exchange takes `part_count` rows.

    `row_key` is the session's number and the exchange's order in one.
    """

    __tablename__ = "exchange_words"
    __table_args__ = (
        Index("ix_exchange_words_vector", "vector", postgresql_using="gin"),
        Index("ix_exchange_words_session", "session_id"),
    )

    workspace_id: Mapped[str] = mapped_column(ID)
    exchange_id: Mapped[str] = mapped_column(ForeignKey("session_exchanges.id", ondelete="CASCADE"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    part_count: Mapped[int]
    session_id: Mapped[str] = mapped_column(ID)
    row_key: Mapped[int] = mapped_column(BigInteger)
    text_sha256: Mapped[str] = mapped_column(String(64))
    vector: Mapped[str] = mapped_column(WordVector())


class ExchangeVectorRow(WorkspaceScoped, Base):
    """The meaning of an exchange: unit vectors of its pieces as little-endian float16, one after the other.

    They were made of the text with `text_sha256`.
    """

    __tablename__ = "exchange_vectors"
    __table_args__ = (Index("ix_exchange_vectors_session", "session_id"),)

    workspace_id: Mapped[str] = mapped_column(ID)
    exchange_id: Mapped[str] = mapped_column(ForeignKey("session_exchanges.id", ondelete="CASCADE"), primary_key=True)
    session_id: Mapped[str] = mapped_column(ID)
    row_key: Mapped[int] = mapped_column(BigInteger)
    text_sha256: Mapped[str] = mapped_column(String(64))
    vector: Mapped[bytes] = mapped_column(LargeBinary)
