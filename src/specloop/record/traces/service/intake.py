"""Taking traces in: a request is answered when its accepted spans are on disk."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import UnitOfWork
from specloop.kit.clock import Clock
from specloop.kit.context import Principal
from specloop.record.traces.ingest.decode import Encoding, decode
from specloop.record.traces.ingest.drainer import Drainer
from specloop.record.traces.ingest.journal import Journal
from specloop.record.traces.ingest.validate import Verdict, validate
from specloop.record.traces.model import Outcome
from specloop.record.traces.repository import inbox
from specloop.record.traces.repository.inbox import Arrival

INBOX_BYTES_MAX = 1 << 30
OFF_LOOP_BYTES = 256 << 10
"""Bodies above this size are decoded on a thread, so that other requests go on."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender is told; both are empty after full success."""

    rejected_spans: int
    message: str


class TraceIntake:
    """The way of every span into Specloop. Runs its background work between `start` and `stop`."""

    def __init__(
        self, database: Database, telemetry: TelemetryStore, clock: Clock, *, inbox_bytes_max: int = INBOX_BYTES_MAX
    ) -> None:
        self._clock = clock
        self._drainer = Drainer(database, telemetry)
        self._journal = Journal(database, bytes_max=inbox_bytes_max, on_commit=self._drainer.wake)

    def start(self) -> None:
        """Begin to move what is in the inbox, an earlier run's leftovers first."""
        self._drainer.start()

    async def stop(self) -> None:
        """Finish what is in flight; the rest stays in the inbox."""
        await self._journal.close()
        await self._drainer.stop()

    async def receive(self, principal: Principal, workspace_id: str, body: bytes, encoding: Encoding) -> Receipt:
        """Take the spans of one ExportTraceServiceRequest; they belong to `workspace_id` whatever they claim.

        Returns once the accepted spans are durable; they become readable within about a second.
        Raises: MalformedTraces, InboxFull, Unavailable.
        """
        now = self._clock.now()
        now_ns = round(now.timestamp() * 1_000_000) * 1_000
        if len(body) > OFF_LOOP_BYTES:
            verdict = await asyncio.to_thread(_examine, body, encoding, now_ns)
        else:
            verdict = _examine(body, encoding, now_ns)
        outcomes = {**verdict.rejected, **({Outcome.ACCEPTED: verdict.accepted} if verdict.accepted else {})}
        if outcomes:
            await self._journal.append(
                Arrival(principal.account_id, workspace_id, now, verdict.body, outcomes, len(body))
            )
        return Receipt(verdict.rejected_count, verdict.message)


async def inbox_level(unit: UnitOfWork) -> dict[str, float]:
    """What waits to be stored, for the metrics of the whole server; `unit` sees all workspaces."""
    requests, size = await inbox.level(unit)
    return {"inbox_requests": requests, "inbox_bytes": size}


def _examine(body: bytes, encoding: Encoding, now_ns: int) -> Verdict:
    return validate(decode(body, encoding), body if encoding is Encoding.PROTOBUF else None, now_ns)
