"""One blocking handle on the telemetry engine, for one thread at a time. Only this file talks to clickhouse-connect.

The engine inside the process and a server elsewhere take the same SQL. They differ in one thing: where an insert finds
the bytes that came with it, which the SQL leaves open as `{{source}}`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import clickhouse_connect
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError, StreamFailureError

from specloop.db.telemetry.dsn import TelemetryAddress
from specloop.db.telemetry.errors import TelemetryQueryFailed, TelemetryUnavailable, TelemetryUnreachable
from specloop.kit.crypto import sha256_hex
from specloop.kit.log import redact

SOURCE = "{{source}}"
"""Stands in an insert statement for the table function that reads the body."""

# Small pools and caches: the engine shares two cores and a few hundred megabytes with the rest of the program.
_ENGINE_OPTIONS: dict[str, str] = {
    "background_pool_size": "2",
    "background_move_pool_size": "1",
    "background_fetches_pool_size": "1",
    "background_common_pool_size": "1",
    "background_schedule_pool_size": "2",
    "background_message_broker_schedule_pool_size": "1",
    "background_distributed_schedule_pool_size": "1",
    "mark_cache_size": str(64 << 20),
    "index_mark_cache_size": str(16 << 20),
    "text_index_tokens_cache_size": str(32 << 20),
    "text_index_header_cache_size": str(32 << 20),
    "query_condition_cache_size": str(16 << 20),
    "compiled_expression_cache_size": str(32 << 20),
    "uncompressed_cache_size": "0",
    "index_uncompressed_cache_size": "0",
    "mmap_cache_size": "64",
}


@dataclass(frozen=True, slots=True)
class BodyFormat:
    """How the bytes of an insert are read: ClickHouse's format and column structure, a protobuf schema, its message."""

    name: str
    structure: str
    schema: str
    message: str


class TelemetryClient:
    """Runs statements with parameters that the engine binds itself."""

    def __init__(self, address: TelemetryAddress, *, database: str | None, settings: Mapping[str, Any]) -> None:
        self._address = address
        self._settings: dict[str, Any] = {}
        self._client: Any = _connect(address, database)
        self._use(settings)

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The rows of a SELECT, each as a mapping from column name to value.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        try:
            result = self._client.query(sql, parameters=dict(parameters or {}))
        except ClickHouseError as error:
            raise _translated(error) from error
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    def query_bytes(self, sql: str, form: str, parameters: Mapping[str, Any] | None = None) -> bytes:
        """The result of a SELECT in one of the engine's file formats.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        try:
            return bytes(self._client.raw_query(sql, parameters=dict(parameters or {}), fmt=form))
        except ClickHouseError as error:
            raise _translated(error) from error

    def command(self, sql: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns no rows.

        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        try:
            self._client.command(sql, parameters=dict(parameters or {}))
        except ClickHouseError as error:
            raise _translated(error) from error

    def insert(self, sql: str, body: Iterable[bytes], form: BodyFormat, settings: Mapping[str, Any]) -> None:
        """Run `INSERT … SELECT … FROM {{source}}`, where the source reads `body` in the given form.

        `settings` stay in force for later inserts of this client. Returns once the rows are on disk and readable.
        Raises: TelemetryUnavailable, TelemetryQueryFailed.
        """
        self._use({**settings, **self._schema_settings(form)})
        parameters = {"structure": form.structure, "format": form.name}
        try:
            if self._address.folder is not None:
                self._insert_from_file(sql, body, parameters, self._address.folder)
            else:
                statement = sql.replace(SOURCE, "input({structure:String})") + f"\nFORMAT {form.name}"
                self._client.command(statement, parameters=parameters, data=b"".join(body))
        except ClickHouseError as error:
            raise _translated(error) from error

    def _schema_settings(self, form: BodyFormat) -> dict[str, str]:
        if self._address.folder is None:
            return {
                "format_schema_source": "string",
                "format_schema": form.schema,
                "format_schema_message_name": form.message,
            }
        # The embedded engine would keep an inline schema in the working directory, which may not be writable.
        path = self._address.folder / f"{form.message}-{sha256_hex(form.schema)[:16]}.proto"
        if not path.exists():
            draft = path.with_suffix(".draft")
            draft.write_text(form.schema)
            draft.replace(path)  # in one step, so that a kill cannot leave half a schema
        return {"format_schema": f"{path}:{form.message}"}

    def _insert_from_file(self, sql: str, body: Iterable[bytes], parameters: dict[str, str], folder: Path) -> None:
        with tempfile.NamedTemporaryFile(dir=folder, prefix="insert-") as file:
            file.writelines(body)
            file.flush()
            statement = sql.replace(SOURCE, "file({path:String}, {format:String}, {structure:String})")
            self._client.command(statement, parameters={**parameters, "path": file.name})

    def _use(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if self._settings.get(name) != value:
                self._client.set_client_setting(name, value)
                self._settings[name] = value

    def close(self) -> None:
        """Give the handle back; the last one closes the engine."""
        self._client.close()


def _connect(address: TelemetryAddress, database: str | None) -> Any:
    create: Any = vars(clickhouse_connect)["get_client"]  # its own signature is only partly typed
    try:
        if address.folder is not None:
            return create(dsn=f"chdb://{address.folder}", database=database, chdb_options=_ENGINE_OPTIONS)
        return create(
            host=address.host,
            port=address.port,
            username=address.username,
            password=address.password,
            secure=address.is_secure,
            database=database,
            autogenerate_session_id=False,
            connect_timeout=10,
        )
    except ClickHouseError as error:
        reason = redact(str(error).splitlines()[0])
        raise TelemetryUnreachable(f"the telemetry store at {address} cannot be opened: {reason}") from error


def _translated(error: ClickHouseError) -> TelemetryUnavailable | TelemetryQueryFailed:
    if isinstance(error, (OperationalError, StreamFailureError)):
        return TelemetryUnavailable(retry_after=5)
    return TelemetryQueryFailed(str(error).splitlines()[0], engine_code=int(getattr(error, "code", 0) or 0))
