"""Taking traces in: a request is answered when its accepted spans are on disk."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from pydantic import ValidationError

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.db.uow import UnitOfWork
from specloop.kit.clock import Clock
from specloop.kit.context import Principal
from specloop.record.traces.ingest.decode import Encoding, decode
from specloop.record.traces.ingest.drainer import Drainer
from specloop.record.traces.ingest.journal import Journal
from specloop.record.traces.ingest.submitted import SubmittedTrace, to_otlp
from specloop.record.traces.ingest.validate import Verdict, validate, why_refused
from specloop.record.traces.model import Outcome
from specloop.record.traces.repository import inbox
from specloop.record.traces.repository.inbox import Arrival
from specloop.transport.limits import Throughput

INBOX_BYTES_MAX = 1 << 30
UNLIMITED: Final = Throughput(0)
OFF_LOOP_BYTES = 256 << 10
"""Bodies above this size are decoded on a thread, so that other requests go on."""

SETTLE_SECONDS = 3.0
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a sender is told; both are empty after full success."""

    rejected_spans: int
    message: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of JSON traces: the ids of those that were taken, and (index, reason) of the others."""

    trace_ids: Sequence[str]
    rejected: Sequence[tuple[int, str]]


class TraceIntake:
    """The way of every span into Specloop. Runs its background work between `start` and `stop`."""

    def __init__(
        self,
        database: Database,
        telemetry: TelemetryStore,
        clock: Clock,
        *,
        inbox_bytes_max: int = INBOX_BYTES_MAX,
        allowance: Throughput = UNLIMITED,
    ) -> None:
        """`allowance` is counted for each workspace."""
        self._database = database
        self._clock = clock
        self._allowance = allowance
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
        Raises: RateLimited, MalformedTraces, InboxFull, Unavailable.
        """
        await self._allowance.take(workspace_id, len(body))
        now, now_ns = self._now()
        if len(body) > OFF_LOOP_BYTES:
            verdict = await asyncio.to_thread(_examine, body, encoding, now_ns)
        else:
            verdict = _examine(body, encoding, now_ns)
        await self._keep(principal, workspace_id, now, verdict, len(body))
        return Receipt(verdict.rejected_count, verdict.message)

    async def submit(
        self, principal: Principal, workspace_id: str, documents: Sequence[Any], key: str | None = None
    ) -> Submission:
        """Take traces in plain JSON (`SubmittedTrace` each); one that is wrong is refused alone, as a whole.

        With an idempotency `key`, traces without an id get the same one each time. Returns once they are durable.
        Raises: RateLimited, InboxFull, Unavailable.
        """
        now, now_ns = self._now()
        seed = None if key is None else f"{principal.actor_id}\0{workspace_id}\0{key}"
        message, submission = await asyncio.to_thread(_convert, documents, seed, now, now_ns)
        if message.resource_spans:
            size = message.ByteSize()
            await self._allowance.take(workspace_id, size)
            await self._keep(principal, workspace_id, now, validate(message, None, now_ns), size)
        return submission

    async def settle(self, workspace_id: str) -> None:
        """Wait until what the workspace has sent so far is readable, at most `SETTLE_SECONDS`."""
        waiting = await self._waiting(workspace_id)
        last = waiting[1] if waiting else 0
        with suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_SECONDS):
                while waiting is not None and waiting[0] <= last:
                    await self._drainer.next_move(LOOK_SECONDS)
                    waiting = await self._waiting(workspace_id)

    async def _waiting(self, workspace_id: str) -> tuple[int, int] | None:
        async with self._database.reading(workspace_id) as unit:
            return await inbox.waiting(unit, workspace_id)

    def _now(self) -> tuple[datetime, int]:
        now = self._clock.now()
        return now, round(now.timestamp() * 1_000_000) * 1_000

    async def _keep(self, principal: Principal, workspace_id: str, now: datetime, verdict: Verdict, size: int) -> None:
        outcomes = {**verdict.rejected, **({Outcome.ACCEPTED: verdict.accepted} if verdict.accepted else {})}
        if outcomes:
            await self._journal.append(Arrival(principal.account_id, workspace_id, now, verdict.body, outcomes, size))


async def inbox_level(unit: UnitOfWork) -> dict[str, float]:
    """What waits to be stored, for the metrics of the whole server; `unit` sees all workspaces."""
    requests, size = await inbox.level(unit)
    return {"inbox_requests": requests, "inbox_bytes": size}


async def heard_since(unit: UnitOfWork, since: datetime) -> Sequence[tuple[str, str]]:
    """(account id, workspace id) of the workspaces that spans came to since `since`; `unit` sees all of them."""
    return await inbox.heard_since(unit, since)


def _convert(
    documents: Sequence[Any], seed: str | None, now: datetime, now_ns: int
) -> tuple[ExportTraceServiceRequest, Submission]:
    message = ExportTraceServiceRequest()
    taken: list[str] = []
    rejected: list[tuple[int, str]] = []
    for index, document in enumerate(documents):
        try:
            trace = SubmittedTrace.model_validate(document)
            trace_id = _trace_id(trace.trace_id, seed, index)
            spans = to_otlp(trace, trace_id, now)
        except ValidationError as error:
            first = error.errors()[0]
            rejected.append((index, f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"))
            continue
        except (ValueError, TypeError) as error:
            rejected.append((index, f"it holds what cannot be kept: {error}"))
            continue
        reason = why_refused(spans, now_ns)
        if reason is None:
            message.resource_spans.append(spans)
            taken.append(trace_id.hex())
        else:
            rejected.append((index, reason))
    return message, Submission(taken, rejected)


def _trace_id(given: str | None, seed: str | None, index: int) -> bytes:
    if given is not None:
        return bytes.fromhex(given)
    return secrets.token_bytes(16) if seed is None else hashlib.sha256(f"{seed}\0{index}".encode()).digest()[:16]


def _examine(body: bytes, encoding: Encoding, now_ns: int) -> Verdict:
    return validate(decode(body, encoding), body if encoding is Encoding.PROTOBUF else None, now_ns)
