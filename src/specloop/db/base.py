"""What every table shares: the metadata, column types that behave the same on both engines, the tenant columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Dialect, MetaData, String, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import BigInteger, TypeEngine

from specloop.kit import json

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC moment with microseconds: `timestamptz` on PostgreSQL, integer microseconds on SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the engine."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(TIMESTAMP(timezone=True))
        return dialect.type_descriptor(BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuses naive datetimes: they mean nothing across machines."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored datetime needs a time zone")
        value = value.astimezone(UTC)
        if dialect.name == "postgresql":
            return value
        delta = value - _EPOCH
        return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Always an aware UTC datetime."""
        if value is None:
            return None
        if dialect.name == "postgresql":
            return value.astimezone(UTC)
        seconds, micros = divmod(int(value), 1_000_000)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


class Payload(TypeDecorator[Any]):
    """Any JSON value, scalars included; None is NULL.

    SQLite gives a JSON column numeric affinity, so the text `1` would come back as a number: there it is a text column.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """The column type of the engine."""
        return dialect.type_descriptor(JSONB(none_as_null=True) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        """JSON text where the engine has no JSON type of its own."""
        if value is None or dialect.name == "postgresql":
            return value
        return json.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """The value."""
        return value if value is None or dialect.name == "postgresql" else json.loads(value)


JSONDoc = JSON().with_variant(JSONB(), "postgresql")
ID = String(36)


class Base(DeclarativeBase):
    """The declarative base of every state table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UTCDateTime(), dict[str, Any]: JSONDoc, list[Any]: JSONDoc}  # noqa: RUF012


class WorkspaceScoped:
    """Tenant columns. A table with `workspace_id` gets a row-level security policy on PostgreSQL."""

    account_id: Mapped[str] = mapped_column(ID)
    workspace_id: Mapped[str] = mapped_column(ID, index=True)
