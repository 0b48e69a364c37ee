"""A clock that moves only when told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class FakeClock:
    """Starts at `start` (default 2026-01-01) and stands still until advanced."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._now = start

    def now(self) -> datetime:
        """The moment it shows."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> None:
        """Move forward (or back, for clock jumps)."""
        self._now += timedelta(seconds=seconds)
