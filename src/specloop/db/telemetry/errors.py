"""What can go wrong with the telemetry store beyond what every store shares (`specloop.db.errors`)."""

from __future__ import annotations

from specloop.db.errors import DatabaseUnreachable
from specloop.errors import SpecloopError, Unavailable


class TelemetryUnreachable(DatabaseUnreachable):
    """The telemetry store cannot be reached."""

    code = "telemetry-unreachable"


class TelemetryUnavailable(Unavailable):
    """The telemetry store cannot answer now."""


class TelemetryQueryFailed(SpecloopError):
    """The telemetry store refused a statement."""

    def __init__(self, detail: str, engine_code: int = 0) -> None:
        """`engine_code` is ClickHouse's own number of the error."""
        super().__init__(detail)
        self.engine_code = engine_code
