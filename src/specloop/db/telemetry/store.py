"""The telemetry store as the rest of the program sees it: asynchronous, a few inserting and querying threads.

It knows statements and workspaces, not what a span is. Every read names its workspace, and a statement that does not
use it is refused before it runs.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

from specloop.db.telemetry.client import BodyFormat, TelemetryClient
from specloop.db.telemetry.dsn import TelemetryAddress, parse_dsn
from specloop.db.telemetry.errors import TelemetryUnavailable
from specloop.db.telemetry.lock import FolderLock
from specloop.db.telemetry.migrations import Migration, migrate, packaged_migrations

P = ParamSpec("P")
R = TypeVar("R")
WORKSPACE = "{workspace_id:UUID}"
"""How a statement names its workspace; the engine binds the value."""

QUERY_THREADS = 2
INSERT_THREADS = 2
SCAN = "max_threads = 2"
"""A setting for statements that read much. Others take longer with several threads: bringing those together costs as
much as reading one trace."""

# Machine code for a statement is made at its fourth run and takes longer than most of them; no statement gained by it.
_READ_SETTINGS: dict[str, Any] = {
    "max_threads": 1,
    "max_memory_usage": 400 << 20,
    "max_bytes_before_external_group_by": 200 << 20,
    "max_bytes_before_external_sort": 200 << 20,
    "max_execution_time": 30,
    "compile_expressions": 0,
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
    "readonly": 2,
}
_WRITE_SETTINGS: dict[str, Any] = {"max_threads": 1, "max_insert_threads": 1, "mutations_sync": 1}


class TelemetryStore:
    """Opened once per process; all methods may be called from many tasks at once."""

    def __init__(
        self, address: TelemetryAddress, writers: list[TelemetryClient], readers: list[TelemetryClient]
    ) -> None:
        self.address = address
        self.engine_name = "chdb" if address.folder is not None else "clickhouse"
        self._writers = _filled(writers)
        self._writer_count = len(writers)
        self._deleting = threading.Lock()
        self._readers = _filled(readers)
        self._reader_count = len(readers)
        self._write_threads = ThreadPoolExecutor(len(writers) + 1, "telemetry-insert")
        self._read_threads = ThreadPoolExecutor(len(readers), "telemetry-query")
        self._lock: FolderLock | None = None

    @classmethod
    async def open(
        cls, dsn: str, *, query_threads: int = QUERY_THREADS, migrations: list[Migration] | None = None
    ) -> TelemetryStore:
        """Open the store at `chdb:///folder` or `clickhouse://host/database` and bring its schema up to date.

        Raises: FolderLocked, SchemaTooNew, TelemetryUnreachable.
        """
        return await asyncio.to_thread(_open, parse_dsn(dsn), query_threads, migrations or packaged_migrations())

    async def query(
        self, sql: str, *, workspace_id: str, parameters: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a SELECT over one workspace; `sql` must use `{workspace_id:UUID}`.

        Values come in as `parameters` and are bound by the engine.
        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        bound = _bound(sql, workspace_id, parameters)
        return await self._in_thread(self._read_threads, self._read, sql, bound)

    async def insert(self, sql: str, body: Sequence[bytes], form: BodyFormat, settings: Mapping[str, Any]) -> None:
        """Run `INSERT … SELECT … FROM {{source}}` over `body`; the rows are durable and readable on return.

        Up to `INSERT_THREADS` of them run at a time.
        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        await self._in_thread(self._write_threads, self._insert, sql, body, form, settings)

    async def change(
        self, statements: Sequence[str], *, workspace_id: str, parameters: Mapping[str, Any] | None = None
    ) -> None:
        """Run statements over one workspace (each must use `{workspace_id:UUID}`) while this process inserts nothing.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        for sql in statements:
            _bound(sql, workspace_id, parameters)
        await self._in_thread(
            self._write_threads, self._run_alone, statements, _bound(statements[0], workspace_id, parameters)
        )

    async def maintain(self, statements: Sequence[str]) -> None:
        """Run statements that change no row that anybody sees, in the background of inserts and queries.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        await self._in_thread(self._write_threads, self._run_beside, statements)

    async def read_file(
        self, sql: str, form: str, *, workspace_id: str, parameters: Mapping[str, Any] | None = None
    ) -> bytes:
        """The result of a SELECT over one workspace as a file in one of the engine's formats, such as Parquet.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        bound = _bound(sql, workspace_id, parameters)
        return await self._in_thread(self._read_threads, self._read_bytes, sql, form, bound)

    async def ping(self) -> None:
        """Ask the engine for a constant.

        Raises: TelemetryUnavailable.
        """
        await self._in_thread(self._read_threads, self._read, "SELECT 1", {})

    async def close(self) -> None:
        """Finish what runs, then let go of the engine and its folder."""
        await asyncio.to_thread(self._close)

    def _insert(self, sql: str, body: Sequence[bytes], form: BodyFormat, settings: Mapping[str, Any]) -> None:
        client = self._writers.get()
        try:
            client.insert(sql, body, form, settings)
        finally:
            self._writers.put(client)

    def _run_alone(self, statements: Sequence[str], parameters: Mapping[str, Any]) -> None:
        with self._deleting:
            clients = [self._writers.get() for _ in range(self._writer_count)]
            try:
                for sql in statements:
                    clients[0].command(sql, parameters)
            finally:
                for client in clients:
                    self._writers.put(client)

    def _run_beside(self, statements: Sequence[str]) -> None:
        client = self._writers.get()
        try:
            for sql in statements:
                client.command(sql)
        finally:
            self._writers.put(client)

    def _read_bytes(self, sql: str, form: str, parameters: Mapping[str, Any]) -> bytes:
        client = self._readers.get()
        try:
            return client.query_bytes(sql, form, parameters)
        finally:
            self._readers.put(client)

    def _read(self, sql: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
        client = self._readers.get()
        try:
            return client.query(sql, parameters)
        finally:
            self._readers.put(client)

    async def _in_thread(
        self, pool: ThreadPoolExecutor, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        try:
            running = asyncio.get_running_loop().run_in_executor(pool, partial(function, *args, **kwargs))
        except RuntimeError as error:
            raise TelemetryUnavailable("the telemetry store is closed") from error
        return await running

    def _close(self) -> None:
        self._write_threads.shutdown(wait=True)
        self._read_threads.shutdown(wait=True)
        for _ in range(self._reader_count):
            self._readers.get().close()
        for _ in range(self._writer_count):
            self._writers.get().close()
        if self._lock is not None:
            self._lock.release()

    def hold(self, lock: FolderLock | None) -> None:
        """Keep `lock` until the store is closed."""
        self._lock = lock


def _open(address: TelemetryAddress, query_threads: int, migrations: list[Migration]) -> TelemetryStore:
    lock = FolderLock(address.folder) if address.folder is not None else None
    clients: list[TelemetryClient] = []
    try:
        bootstrap = TelemetryClient(address, database=None, settings={})
        clients.append(bootstrap)
        bootstrap.command("CREATE DATABASE IF NOT EXISTS {database:Identifier}", {"database": address.database})
        writers: list[TelemetryClient] = []
        for _ in range(INSERT_THREADS):
            writers.append(TelemetryClient(address, database=address.database, settings=_WRITE_SETTINGS))
            clients.append(writers[-1])
        migrate(writers[0], migrations)
        readers: list[TelemetryClient] = []
        for _ in range(query_threads):
            readers.append(TelemetryClient(address, database=address.database, settings=_READ_SETTINGS))
            clients.append(readers[-1])
    except BaseException:
        for client in clients:
            client.close()
        if lock is not None:
            lock.release()
        raise
    bootstrap.close()
    store = TelemetryStore(address, writers, readers)
    store.hold(lock)
    return store


def _filled(clients: list[TelemetryClient]) -> queue.SimpleQueue[TelemetryClient]:
    waiting: queue.SimpleQueue[TelemetryClient] = queue.SimpleQueue()
    for client in clients:
        waiting.put(client)
    return waiting


def _bound(sql: str, workspace_id: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    if WORKSPACE not in sql:
        raise ValueError(f"a telemetry statement must name its workspace as {WORKSPACE}")
    return {**(parameters or {}), "workspace_id": workspace_id}
