"""Numbers the events of one search and stays silent about those an interrupted run has already reported."""

from collections.abc import Callable
from typing import Any

from specloop.improve.scans.problem import ScanEvent


class EventLog:
    """Emits ScanEvents. `reported` is how many events the listener has from before an interruption."""

    def __init__(self, listener: Callable[[ScanEvent], None] | None, reported: int = 0) -> None:
        self._listener = listener
        self._reported = reported
        self.count = 0
        self.phase = ""

    def emit(self, type_: str, **data: Any) -> None:
        """Report a fact. Data must depend on the seed alone, never on the clock, so that replays line up."""
        self.count += 1
        if self._listener is not None and self.count > self._reported:
            self._listener(ScanEvent(self.count, type_, self.phase, data))

    @property
    def is_live(self) -> bool:
        """Whether everything an interrupted run reported has been replayed."""
        return self.count > self._reported

    def enter(self, phase: str) -> None:
        """Start a phase of spectral.md §2.2."""
        self.phase = phase
        self.emit("scan.phase", phase=phase)
