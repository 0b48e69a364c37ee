"""Moves bodies from the inbox to the telemetry store, many at once, and forgets them after they are durable there.

A crash between the two stores repeats the move. That is harmless: reads keep the last version of each span.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError

from specloop.db.database import Database
from specloop.db.telemetry import TelemetryQueryFailed, TelemetryStore
from specloop.db.uow import ALL_WORKSPACES, UnitOfWork
from specloop.kit.log import get_logger
from specloop.record.traces.ingest.decode import canonical_form
from specloop.record.traces.repository import inbox
from specloop.record.traces.repository.inbox import Waiting
from specloop.record.traces.repository.native import ReceivedBody, insert_bodies

log = get_logger(__name__)

BATCH_BYTES_MAX = 48 << 20
BATCH_ROWS_MAX = 4_000
LANES = 2
"""Batches that are moved at the same time while more than one waits."""

PAUSE_SECONDS = 0.8
"""Least time between the starts of two small inserts: planning one costs as much as thousands of spans."""

POLL_SECONDS = 1.0
"""How often a process looks for bodies that another process took in (PostgreSQL only)."""

BACKOFF_SECONDS: Final = (0.5, 1.0, 2.0, 5.0, 10.0)

# ClickHouse's numbers of errors that the body causes: parse errors, a broken constraint, too many partitions, bad text.
_BODY_FAULTS = frozenset({6, 27, 33, 69, 117, 131, 190, 252, 376, 395, 444, 469})


class Drainer:
    """Runs between `start` and `stop`; `wake` says that there are new rows."""

    def __init__(self, database: Database, telemetry: TelemetryStore) -> None:
        self._database = database
        self._telemetry = telemetry
        self._rows_arrived = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._taking = asyncio.Lock()
        self._batches_moving = 0
        self._taken_up_to = 0
        self._moved = asyncio.Event()
        self._is_behind = False

    def start(self) -> None:
        """Begin with what an earlier run left behind."""
        self._rows_arrived.set()
        self._task = asyncio.create_task(self._run(), name="otlp-drainer")

    def wake(self) -> None:
        """There are new rows in the inbox."""
        self._rows_arrived.set()

    async def next_move(self, seconds: float) -> None:
        """Until this process has moved a batch, at most so many seconds: another process may be the one that moves."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._moved.wait(), seconds)

    async def stop(self) -> None:
        """Finish the running insert; what is left stays in the inbox."""
        self._stopping.set()
        self._rows_arrived.set()
        if self._task is not None:
            await self._task

    async def drain(self) -> int:
        """Move one batch; returns how many bodies it had."""
        moved = await self._drain()
        self._moved.set()
        self._moved = asyncio.Event()
        return moved

    async def _drain(self) -> int:
        if self._database.engine_name == "postgresql":
            # The row locks live as long as the transaction, so other processes leave these bodies alone.
            async with self._database.writing(ALL_WORKSPACES) as unit:
                batch = await self._take(unit)
                if batch:
                    await self._finish(unit, await self._store(batch))
            return len(batch)
        async with self._taking:
            # What another lane has is left to it; what one could not move is taken again when all have finished.
            async with self._database.reading(ALL_WORKSPACES) as unit:
                batch = await self._take(unit, after_id=self._taken_up_to if self._batches_moving else 0)
            if not batch:
                return 0
            self._taken_up_to = batch[-1].id
            self._batches_moving += 1
        try:
            failures = await self._store(batch)
            async with self._database.writing(ALL_WORKSPACES) as unit:
                await self._finish(unit, failures)
        finally:
            self._batches_moving -= 1
        return len(batch)

    async def _take(self, unit: UnitOfWork, after_id: int = 0) -> list[Waiting]:
        batch = await inbox.take(unit, bytes_max=BATCH_BYTES_MAX, rows_max=BATCH_ROWS_MAX, after_id=after_id)
        taken = sum(len(waiting.received.body) for waiting in batch)
        self._is_behind = taken > BATCH_BYTES_MAX // 2 or len(batch) == BATCH_ROWS_MAX
        return batch

    async def _drain_lanes(self) -> int:
        """One batch in each lane that is needed; how many bodies they had."""
        lanes = LANES if self._is_behind else 1
        moved = await asyncio.gather(*(self.drain() for _ in range(lanes)), return_exceptions=True)
        for result in moved:
            if isinstance(result, BaseException):
                raise result
        return sum(result for result in moved if isinstance(result, int))

    async def _run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            await self._wait_for_rows()
            self._rows_arrived.clear()
            started = asyncio.get_running_loop().time()
            try:
                while await self._drain_lanes() and not self._stopping.is_set():
                    if not self._is_behind:
                        await self._pause(started)
                    started = asyncio.get_running_loop().time()
                attempt = 0
            except Exception as error:
                # The outermost loop: whatever is wrong with a store, the bodies are safe and the next try may succeed.
                seconds = BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)]
                attempt += 1
                log.warning("drain.delayed", reason=str(error), retry_seconds=seconds)
                self._rows_arrived.set()
                await self._sleep(seconds)

    async def _wait_for_rows(self) -> None:
        if self._database.engine_name == "postgresql":
            with suppress(TimeoutError):
                await asyncio.wait_for(self._rows_arrived.wait(), POLL_SECONDS)
        else:
            await self._rows_arrived.wait()

    async def _pause(self, started: float) -> None:
        rest = started + PAUSE_SECONDS - asyncio.get_running_loop().time()
        if rest > 0:
            await self._sleep(rest)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _store(self, batch: list[Waiting]) -> dict[int, str | None]:
        """Store a batch; per inbox row, why the telemetry store refuses it, or None.

        A batch that is refused is halved until the body at fault stands alone; that one is tried in canonical form.
        """
        try:
            await insert_bodies(self._telemetry, [waiting.received for waiting in batch])
        except TelemetryQueryFailed as error:
            if error.engine_code not in _BODY_FAULTS:
                raise
            if len(batch) == 1:
                return {batch[0].id: await self._store_canonical(batch[0])}
            middle = len(batch) // 2
            return {**await self._store(batch[:middle]), **await self._store(batch[middle:])}
        return {waiting.id: None for waiting in batch}

    async def _store_canonical(self, waiting: Waiting) -> str | None:
        received = waiting.received
        try:
            body = ReceivedBody(received.workspace_id, received.received_us, canonical_form(received.body))
            await insert_bodies(self._telemetry, [body])
        except (TelemetryQueryFailed, DecodeError) as error:
            if isinstance(error, TelemetryQueryFailed) and error.engine_code not in _BODY_FAULTS:
                raise
            log.error("drain.refused", inbox_id=waiting.id, workspace_id=received.workspace_id, reason=str(error))
            return str(error)
        return None

    async def _finish(self, unit: UnitOfWork, failures: dict[int, str | None]) -> None:
        await inbox.remove(unit, [row_id for row_id, failure in failures.items() if failure is None])
        for row_id, failure in failures.items():
            if failure is not None:
                await inbox.set_aside(unit, row_id, failure)
