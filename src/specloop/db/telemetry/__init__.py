"""The telemetry store: spans and what is counted from them, in chDB inside the process or on a ClickHouse server.

Nothing here knows what the rows mean; the SQL that reads and writes them belongs to `specloop.record`.
"""

from specloop.db.telemetry.client import BodyFormat
from specloop.db.telemetry.dsn import parse_dsn
from specloop.db.telemetry.errors import TelemetryQueryFailed, TelemetryUnavailable, TelemetryUnreachable
from specloop.db.telemetry.store import SCAN, WORKSPACE, TelemetryStore

__all__ = [
    "SCAN",
    "WORKSPACE",
    "BodyFormat",
    "TelemetryQueryFailed",
    "TelemetryStore",
    "TelemetryUnavailable",
    "TelemetryUnreachable",
    "parse_dsn",
]
