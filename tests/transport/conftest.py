"""What the tests of the network edge share: a running listener on free ports, and the loop it is built for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvloop
from starlette.types import ASGIApp

from specloop.app.listener import Ended, Hooks, ListenerOptions, serve
from specloop.kit.clock import SystemClock
from specloop.transport.net import ListenAddress, bind
from specloop.transport.tls import OwnCertificate, ServerTLS, own_names


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """The server's own loop."""
    return {"uvloop": uvloop.new_event_loop}


@dataclass
class Running:
    """A listener that serves inside the test."""

    addresses: tuple[ListenAddress, ...]
    stop: asyncio.Event
    ending: asyncio.Task[Ended]
    stopping: asyncio.Event

    @property
    def port(self) -> int:
        return self.addresses[0].port

    def url(self, path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://{self.addresses[0]}{path}"


StartListener = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start() -> StartListener:
    """Start a listener: `async with start(app, options, hosts=[…]) as running`."""

    @asynccontextmanager
    async def started(
        app: ASGIApp, options: ListenerOptions | None = None, hosts: tuple[str, ...] = ("127.0.0.1",)
    ) -> AsyncGenerator[Running]:
        stopping = asyncio.Event()
        ready: asyncio.Future[tuple[ListenAddress, ...]] = asyncio.get_running_loop().create_future()
        stop = asyncio.Event()
        hooks = Hooks(ready=ready.set_result, stopping=stopping.set)
        sockets = bind([ListenAddress(host, 0) for host in hosts])
        ending = asyncio.create_task(serve(app, sockets, options, hooks, stop))
        await asyncio.wait((ready, ending), return_when=asyncio.FIRST_COMPLETED)
        if ending.done():
            ending.result()
        running = Running(ready.result(), stop, ending, stopping)
        try:
            yield running
        finally:
            stop.set()
            await ending

    return started


@pytest.fixture(scope="session")
def server_tls(tmp_path_factory: pytest.TempPathFactory) -> ServerTLS:
    """A freshly made certificate and its context."""
    folder: Path = tmp_path_factory.mktemp("tls")
    return ServerTLS(OwnCertificate(folder, own_names(["127.0.0.1"])), SystemClock())


@pytest.fixture(scope="session")
def outside_address() -> str:
    """An address of this machine that is not loopback: to the server, a peer that connects from it is another machine.

    The kernel picks it while routing towards a documentation address (RFC 5737); no packet is sent.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("198.51.100.1", 9))
        return str(probe.getsockname()[0])


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
