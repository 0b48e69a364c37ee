"""Where a search runs: in a process of its own (the product), or in a thread of this one (tests, tiny machines).

Both give the same messages in the same order; equal specs give equal results in both.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from specloop.errors import SpecloopError
from specloop.improve.scans.runner.spec import STOP, SearchSpec
from specloop.kit import json

LINE_BYTES_MAX = 256 * 1024 * 1024
NICENESS = 5


class SearchDied(SpecloopError):
    """The search process ended without a result."""

    code = "search-died"


class RunningSearch(Protocol):
    """One search under way."""

    def messages(self) -> AsyncGenerator[dict[str, Any]]:
        """Everything it sends, until it ends."""
        ...

    def stop(self) -> None:
        """Ask it to end at its next checkpoint."""
        ...

    async def kill(self) -> None:
        """End it now; harmless when it has ended."""
        ...


class SearchHost(Protocol):
    """Starts searches."""

    async def start(self, spec: SearchSpec) -> RunningSearch:
        """Start one."""
        ...


class InProcess:
    """The product's host: a child process, so that the event loop never waits for the search."""

    async def start(self, spec: SearchSpec) -> RunningSearch:
        """Start a child and hand it the spec."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "specloop.improve.scans.runner.child",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_BYTES_MAX,
        )
        running = _Child(child)
        await running.send(json.dumps(spec.as_json()) + b"\n")
        return running


class _Child:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def send(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101  (opened as a pipe)
        self._process.stdin.write(line)
        await self._process.stdin.drain()

    async def messages(self) -> AsyncGenerator[dict[str, Any]]:
        """The lines of its output."""
        assert self._process.stdout is not None  # noqa: S101  (opened as a pipe)
        is_ended = False
        async for line in self._process.stdout:
            message: dict[str, Any] = json.loads(line)
            is_ended = message["type"] in {"result", "stopped", "error"}
            yield message
        code = await self._process.wait()
        if not is_ended:
            raise SearchDied(f"the search process ended with code {code}")

    def stop(self) -> None:
        """Write the stop line."""
        if self._process.stdin is not None and not self._process.stdin.is_closing():
            self._process.stdin.write(STOP)

    async def kill(self) -> None:
        """Kill and reap."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


class InThread:
    """A host without a second process: it shares the interpreter, so everything else gets slower while it works."""

    async def start(self, spec: SearchSpec) -> RunningSearch:
        """Start a thread; the spec crosses as JSON, as it would to a process."""
        copied: dict[str, Any] = json.loads(json.dumps(spec.as_json()))
        return _Thread(SearchSpec(**copied), asyncio.get_running_loop())


class _Thread:
    def __init__(self, spec: SearchSpec, loop: asyncio.AbstractEventLoop) -> None:
        # Only where a search runs: it brings the numeric libraries, which would delay the start of the server.
        from specloop.improve.scans.runner.searching import Searching  # noqa: PLC0415

        self._queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._loop = loop
        self._searching = Searching(spec, self._send)
        self._task = asyncio.create_task(asyncio.to_thread(self._searching.run))
        self._task.add_done_callback(lambda _task: self._queue.put_nowait(None))

    def _send(self, message: dict[str, Any]) -> None:
        copied: dict[str, Any] = json.loads(json.dumps(message))
        self._loop.call_soon_threadsafe(self._queue.put_nowait, copied)

    async def messages(self) -> AsyncGenerator[dict[str, Any]]:
        """What the thread sends."""
        while (message := await self._queue.get()) is not None:
            yield message
        await self._task

    def stop(self) -> None:
        """Set the flag."""
        self._searching.stop()

    async def kill(self) -> None:
        """A thread cannot be killed: it is asked to stop and waited for."""
        self._searching.stop()
        await asyncio.wait([self._task])
