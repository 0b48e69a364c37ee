"""The two addresses of a telemetry store: `chdb:///folder` in this process, `clickhouse://host/database` elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from specloop.db.telemetry.errors import TelemetryUnreachable

DATABASE_DEFAULT = "specloop"
_PLAIN, _SECURE = {"clickhouse", "clickhouse+http"}, {"clickhouses", "clickhouse+https"}


@dataclass(frozen=True, slots=True)
class TelemetryAddress:
    """Where the spans live; `folder` is set for chDB, the rest for a server."""

    database: str = DATABASE_DEFAULT
    folder: Path | None = None
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""
    is_secure: bool = False

    def __str__(self) -> str:
        """The address without its password, for messages."""
        if self.folder is not None:
            return f"chdb://{self.folder}"
        scheme = "clickhouses" if self.is_secure else "clickhouse"
        return f"{scheme}://{self.host}:{self.port}/{self.database}"


def parse_dsn(dsn: str) -> TelemetryAddress:
    """Read `chdb:///path[?database=name]`, `clickhouse://[user[:password]@]host[:port][/database]` or `clickhouses://…`.

    Raises: TelemetryUnreachable when the text is neither.
    """
    try:
        parts = urlsplit(dsn)
        port = parts.port
    except ValueError as error:
        raise TelemetryUnreachable(f"the telemetry address cannot be read: {error}") from error
    options = dict(parse_qsl(parts.query))
    if parts.scheme == "chdb" and not parts.netloc and len(parts.path) > 1:
        return TelemetryAddress(options.get("database", DATABASE_DEFAULT), Path(unquote(parts.path)).absolute())
    if parts.scheme in _PLAIN | _SECURE and parts.hostname:
        is_secure = parts.scheme in _SECURE
        return TelemetryAddress(
            database=unquote(parts.path.strip("/")) or DATABASE_DEFAULT,
            host=parts.hostname,
            port=port or (8443 if is_secure else 8123),
            username=unquote(parts.username or "default"),
            password=unquote(parts.password or ""),
            is_secure=is_secure,
        )
    raise TelemetryUnreachable("the telemetry address must be chdb:///folder or clickhouse://host[:port]/database")
