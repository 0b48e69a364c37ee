"""What a running job is given: its steps, its progress, whom it acts for, and how to open units of work."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar, cast

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.jobs import repository
from specloop.jobs.engine import Engine
from specloop.jobs.errors import JobCancelled, LeaseLost, StepNotSerializable
from specloop.jobs.model import Claim, Progress
from specloop.kit import json
from specloop.kit.clock import Clock
from specloop.kit.context import Principal, RequestInfo

P = ParamSpec("P")
T = TypeVar("T")
PROGRESS_SECONDS_MIN = 0.2


class JobContext:
    """One attempt at a job.

    A step is known by its name and by how often that name came before in this job (`fetch#1`, `fetch#2` …), so code
    between steps must be repeatable: after a kill it runs again from the top, and finished steps return what they
    returned. A step that failed is tried again by the next attempt; an expected failure belongs in the result.
    """

    def __init__(
        self,
        claim: Claim,
        database: Database,
        engine: Engine,
        clock: Clock,
        services: Mapping[str, Any],
        finished: Mapping[str, Any],
    ) -> None:
        self.job_id = claim.job_id
        self.attempt = claim.attempt
        self.principal: Principal = claim.principal
        self.database = database
        self.clock = clock
        self.services = services
        self.cancelled = False
        self.last_progress: Progress | None = None
        self._claim = claim
        self._engine = engine
        self._finished = finished
        self._names: Counter[str] = Counter()
        self._progress_at = float("-inf")

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[Context]:
        """A reading unit of work on behalf of the job's principal."""
        async with self.database.reading(self.principal.workspace_id) as uow:
            yield Context(self.principal, uow, self.clock, RequestInfo(request_id=self.job_id))

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[Context]:
        """A writing unit of work for the job's principal; use `transaction` for effects that may not repeat."""
        async with self.database.writing(self.principal.workspace_id) as uow:
            yield Context(self.principal, uow, self.clock, RequestInfo(request_id=self.job_id))

    async def step(self, name: str, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `function` and record its result as JSON; a finished step is not run again.

        A kill between the effect and the record repeats the effect: at least once. The result is what JSON makes of
        it (tuples become lists), at the first time too.
        Raises: JobCancelled; LeaseLost; StepNotSerializable; whatever the function raises.
        """
        key = self._key(name)
        if key in self._finished:
            return cast(T, self._finished[key])
        self._stop_if_cancelled()

        async def run() -> Any:
            return _as_json(key, await function(*args, **kwargs))

        return cast(T, await self._engine.step(key, run))

    async def transaction(
        self,
        name: str,
        function: Callable[Concatenate[Context, P], Awaitable[T]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Run `function(ctx, …)` so that its writes to the state store and its completion commit as one: exactly once.

        Raises: JobCancelled; LeaseLost when another worker took over; StepNotSerializable; what the function raises.
        """
        key = self._key(name)
        if key in self._finished:
            return cast(T, self._finished[key])
        self._stop_if_cancelled()
        async with self.writing() as ctx:
            if not await repository.touch_held(ctx.session, self._claim):
                raise LeaseLost
            value = _as_json(key, await function(ctx, *args, **kwargs))
            repository.add_step(ctx.session, self._claim, key, value, self.clock.now())
        return cast(T, value)

    async def progress(self, done: int, total: int = 0, note: str = "") -> None:
        """Say how far the job is. Written at most five times a second; the last word is always kept.

        Raises: LeaseLost.
        """
        self.last_progress = Progress(done, total, note)
        now = self.clock.monotonic()
        if now - self._progress_at < PROGRESS_SECONDS_MIN:
            return
        self._progress_at = now
        async with self.database.writing() as uow:
            if not await repository.update_held(uow.session, self._claim, **progress_values(self.last_progress)):
                raise LeaseLost

    async def check_cancelled(self) -> None:
        """Stop here if somebody cancelled the job. Steps check by themselves, from memory.

        Raises: JobCancelled.
        """
        if not self.cancelled:
            async with self.database.reading() as uow:
                self.cancelled = bool(await repository.cancel_requests(uow.session, [self.job_id]))
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self.cancelled:
            raise JobCancelled

    def _key(self, name: str) -> str:
        self._names[name] += 1
        return f"{name}#{self._names[name]}"


def progress_values(progress: Progress) -> dict[str, Any]:
    """The progress as columns."""
    return {
        "progress_done": progress.done,
        "progress_total": progress.total,
        "progress_note": progress.note,
    }


def _as_json(key: str, value: object) -> Any:
    try:
        return json.loads(json.dumps(value))
    except TypeError as error:
        raise StepNotSerializable(f"step {key}: {error}") from error
