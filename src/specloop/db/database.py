"""The state store: SQLite in the data folder or a PostgreSQL server, behind the same unit of work.

SQLite allows one writer at a time, so writing units share one connection that is handed out in order of arrival, and
each begins with BEGIN IMMEDIATE: nobody ever sees "database is locked". Reading units use a pool of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from specloop.db.errors import DatabaseBusy, DatabaseUnreachable
from specloop.db.sqlite_cursor import use_one_hop_cursors
from specloop.db.uow import UnitOfWork
from specloop.kit import json

SQLITE_READERS = 4
POSTGRES_CONNECTIONS = 20
WAIT_SECONDS_MAX = 30.0


# Classes of SQLSTATE that go away by themselves: connection, insufficient resources, operator intervention.
_PASSING_STATES = frozenset({"08", "53", "57"})


def _json_text(value: Any) -> str:
    return json.dumps(value).decode()


def normalise_url(url: str) -> URL:
    """The SQLAlchemy address of `sqlite:///path`, `postgresql://…` or `postgres://…`, with our async driver.

    Raises: DatabaseUnreachable when the address names no engine that Specloop knows.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseUnreachable(f"the state address cannot be read: {error}") from error
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return parsed.set(drivername="sqlite+aiosqlite")
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+asyncpg")
    raise DatabaseUnreachable(f"the state address starts with '{backend}:'; use sqlite:///… or postgresql://…")


class Database:
    """Opens units of work on the state store."""

    def __init__(self, url: URL, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self.url = url
        self.engine_name = url.get_backend_name()
        self.reader_engine = reader
        self.writer_engine = writer
        self._read_sessions = async_sessionmaker(reader, expire_on_commit=False, autoflush=False)
        self._write_sessions = async_sessionmaker(writer, expire_on_commit=False)

    @classmethod
    async def open(cls, url: str) -> Database:
        """Connect and check that the server answers.

        Raises: DatabaseUnreachable.
        """
        parsed = normalise_url(url)
        database = cls(
            parsed, *(_sqlite_engines(parsed) if parsed.get_backend_name() == "sqlite" else _postgres(parsed))
        )
        try:
            async with database.reader_engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
        except (DBAPIError, DatabaseBusy, OSError, TimeoutError) as error:
            await database.close()
            reason = str(getattr(error, "orig", None) or error.__cause__ or error).partition("\n")[0]
            raise DatabaseUnreachable(
                f"the state database at {parsed.render_as_string(hide_password=True)} cannot be reached: {reason}"
            ) from error
        return database

    @asynccontextmanager
    async def reading(self, workspace_id: str | None = None) -> AsyncGenerator[UnitOfWork]:
        """A unit that only reads; it sees one consistent state."""
        async with self._unit(self._read_sessions, workspace_id) as unit:
            yield unit

    @asynccontextmanager
    async def writing(self, workspace_id: str | None = None) -> AsyncGenerator[UnitOfWork]:
        """A unit that commits when the block ends and rolls back when it raises."""
        try:
            async with self._unit(self._write_sessions, workspace_id) as unit:
                try:
                    yield unit
                except BaseException:
                    await unit.rollback()
                    raise
                await unit.commit()
        finally:
            # The connection is free and whoever waits for it was woken, but has not run: a task that writes again at
            # once would take it away each time.
            await asyncio.sleep(0)

    @asynccontextmanager
    async def _unit(
        self, sessions: async_sessionmaker[AsyncSession], workspace_id: str | None
    ) -> AsyncGenerator[UnitOfWork]:
        unit = UnitOfWork(sessions, self.engine_name, workspace_id, is_writing=sessions is self._write_sessions)
        try:
            with _translated_errors():
                yield unit
        finally:
            await unit.close()

    async def close(self) -> None:
        """Give back every connection."""
        await self.reader_engine.dispose()
        await self.writer_engine.dispose()


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseBusy(retry_after=2) from error
    except DBAPIError as error:
        if isinstance(error, OperationalError) and ("disk" in str(error.orig) or "locked" in str(error.orig)):
            raise DatabaseBusy(f"the state database cannot write: {error.orig}", retry_after=5) from error
        if error.connection_invalidated or str(getattr(error.orig, "sqlstate", ""))[:2] in _PASSING_STATES:
            raise DatabaseBusy("the state database is out of service", retry_after=5) from error
        raise


def _sqlite_engines(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    use_one_hop_cursors()
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    writer = _sqlite_engine(url, pool_size=1, begin="BEGIN IMMEDIATE")
    reader = _sqlite_engine(url, pool_size=SQLITE_READERS, begin="BEGIN")
    return reader, writer


def _sqlite_engine(url: URL, *, pool_size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS_MAX,
        json_serializer=_json_text,
        json_deserializer=json.loads,
    )

    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin by itself; `on_begin` does
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "foreign_keys=ON",
            "synchronous=FULL",
            "busy_timeout=15000",
            "cache_size=-16000",
            "temp_store=MEMORY",
            "secure_delete=ON",  # deleted pages are zeroed; costs nothing but a little when much is deleted
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    return engine


async def _connect_postgres(*arguments: Any, **options: Any) -> Any:
    import asyncpg  # noqa: PLC0415  (a start on SQLite would wait for it)

    connect: Any = vars(asyncpg)["connect"]  # its own signature is only partly typed
    try:
        return await connect(*arguments, **options)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseBusy("the state database cannot be reached", retry_after=5) from error


def _postgres(url: URL) -> tuple[AsyncEngine, AsyncEngine]:
    engine = create_async_engine(
        url,
        pool_size=POSTGRES_CONNECTIONS,
        max_overflow=0,
        pool_timeout=WAIT_SECONDS_MAX,
        pool_pre_ping=True,
        json_serializer=_json_text,
        json_deserializer=json.loads,
        connect_args={"timeout": 10, "async_creator_fn": _connect_postgres},
    )

    def on_connect(connection: Any, _record: Any) -> None:
        # A superuser is above row-level security, so such a login works as the tenant role that migrations made.
        cursor = connection.cursor()
        cursor.execute(
            "SELECT set_config('role', rolname, false) FROM pg_roles WHERE rolname = 'specloop_tenant'"
            " AND EXISTS (SELECT 1 FROM pg_roles me"
            " WHERE me.rolname = session_user AND (me.rolsuper OR me.rolbypassrls))"
        )
        cursor.close()
        connection.commit()

    event.listen(engine.sync_engine, "connect", on_connect)
    return engine, engine
