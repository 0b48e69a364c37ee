"""The seam to what keeps step results: DBOS in the product, memory in simulations.

An engine runs bodies and remembers the results of their steps. It decides nothing: who runs what, when and how often
is the dispatcher's business.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Protocol

Body = Callable[[], Awaitable[None]]


class Engine(Protocol):
    """Runs the attempts of jobs and records their steps."""

    async def start(self) -> None:
        """Open the record."""
        ...

    async def stop(self) -> None:
        """Close it; no body is running any more."""
        ...

    async def run(self, workflow_id: str, body: Body) -> None:
        """Run `body` as an attempt that is new to the engine; returns when it ends.

        Does not raise what the body raises, except for cancellation.
        """
        ...

    async def step(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Inside a body: await `function` and record its JSON result under `key` (at least once)."""
        ...

    async def recorded(self, workflow_ids: Iterable[str]) -> dict[str, Any]:
        """The results of all steps that were recorded in these attempts, by key."""
        ...

    async def known(self) -> list[str]:
        """The ids of all attempts that something is recorded for."""
        ...

    async def forget(self, workflow_ids: Iterable[str]) -> None:
        """Drop what is recorded for attempts that are over."""
        ...
