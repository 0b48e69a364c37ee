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
