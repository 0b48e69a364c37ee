"""What ingestion adds to the health of a workspace."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.identity.workspaces import Issue, Section
from specloop.kit.clock import format_time
from specloop.record.traces.model import IntakeFigures
from specloop.record.traces.service.reading import TraceReader

LAG_MS_MAX = 60_000.0
REJECTED_SHARE_MAX = 0.01


class IngestHealth:
    """Fills the `ingest` section: what arrived in a day, and how far storing is behind."""

    section = "ingest"

    def __init__(self, reader: TraceReader) -> None:
        self._reader = reader

    async def report(self, ctx: Context) -> Section:
        """The figures right now, and an issue for a lag or for many refused spans."""
        intake = await self._reader.intake_figures(ctx)
        last = intake.last_received_at
        figures = {
            "last_span_at": None if last is None else format_time(last),
            "spans_24h": intake.spans_accepted,
            "lag_ms": round(intake.lag_ms, 1),
            "rejected_24h": intake.spans_rejected,
        }
        return Section(figures, _issues(intake))


def _issues(intake: IntakeFigures) -> tuple[Issue, ...]:
    found: list[Issue] = []
    if intake.lag_ms > LAG_MS_MAX:
        seconds = round(intake.lag_ms / 1000)
        detail = f"The oldest accepted spans have waited {seconds} s and cannot be read yet"
        found.append(Issue("ingest-lag", "critical", detail, penalty=30))
    total = intake.spans_accepted + intake.spans_rejected
    if total and intake.spans_rejected / total > REJECTED_SHARE_MAX:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in intake.by_reason.items())
        found.append(Issue("spans-rejected", "warning", f"{intake.spans_rejected} spans were refused ({reasons})", 10))
    return tuple(found)
