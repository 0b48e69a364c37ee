"""Serves one ASGI application on several addresses, HTTP and TLS on the same port (ARCHITECTURE §3).

The server library keeps the protocol, the lifespan and the main loop; this file replaces only how connections come in
and how serving ends. It does not know what the application does.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import uvicorn
import uvloop
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.errors import SpecloopError, StartupError
from specloop.kit.log import get_logger
from specloop.transport.net import Acceptor, AcceptPolicy, ConnectionPolicy, EdgeProtocol, ListenAddress

_log = get_logger(__name__)

_TICKS_PER_HOUR = 36_000
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class ApplicationFailedToStart(StartupError):
    """The application refused to start; the log says why."""

    code = "application-failed"


class Ended(StrEnum):
    """How serving came to its end."""

    GRACEFUL = "graceful"
    """Everything in flight was finished and the application was shut down."""
    OUT_OF_TIME = "out-of-time"
    """Some requests were cut off when the grace time ran out."""
    FORCED = "forced"
    """A second signal came: nothing was waited for, the application's shutdown included."""


@dataclass(frozen=True, slots=True)
class ListenerOptions:
    """What the operator may choose. Times in seconds."""

    tls: ssl.SSLContext | None = None
    is_plain_http_allowed: bool = False
    connections_max: int = 2000
    keep_alive_seconds: int = 20
    grace_seconds: float = 15.0
    first_byte_seconds: float = 10.0
    connection: ConnectionPolicy = field(default_factory=ConnectionPolicy)
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For and X-Forwarded-Proto are believed."""

    @property
    def accepting(self) -> AcceptPolicy:
        """The part of the options that concerns new connections."""
        return AcceptPolicy(self.tls, self.is_plain_http_allowed, self.connections_max, self.first_byte_seconds)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the caller wants to be told."""

    ready: Callable[[tuple[ListenAddress, ...]], None] = lambda addresses: None
    """Called once, when all addresses answer, with the ports that were really bound."""
    stopping: Callable[[], None] = lambda: None
    """Called when the end begins: streams that never finish by themselves should finish now."""
    hourly: Callable[[], None] = lambda: None
    """Called about every hour while serving, for example to renew a certificate."""


async def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    options: ListenerOptions | None = None,
    hooks: Hooks | None = None,
    stop: asyncio.Event | None = None,
) -> Ended:
    """Serve `app` on bound `sockets` (`transport.net.bind`) until SIGTERM, SIGINT or `stop`.

    The sockets are closed on return. Without `stop` the signals of the process are taken over; with it they are not.
    Raises: the SpecloopError that the application's own startup raised, or ApplicationFailedToStart.
    """
    server = _Server(app, sockets, options or ListenerOptions(), hooks or Hooks(), stop)
    try:
        await server.serve()
    finally:
        for sock in sockets:
            sock.close()
    return server.ended


def run(main: Callable[[], Awaitable[Ended]]) -> Ended:
    """Run `main` on the event loop that the server is measured with."""

    async def started() -> Ended:
        return await main()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(started())


class _Server(uvicorn.Server):
    """The library's server with our accept loops, typed failures and an end that waits exactly as long as needed."""

    def __init__(
        self,
        app: ASGIApp,
        sockets: Sequence[socket.socket],
        options: ListenerOptions,
        hooks: Hooks,
        stop: asyncio.Event | None,
    ) -> None:
        self._app = _LifespanWitness(app)
        super().__init__(_config(self._app, options))
        self._sockets = sockets
        self._options = options
        self._hooks = hooks
        self._stop = stop
        self._acceptors: list[Acceptor] = []
        self._forced = asyncio.Event()
        self.ended = Ended.GRACEFUL

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then open the doors."""
        await self._unless_forced(self.lifespan.startup)
        if self._forced.is_set():
            self.ended = Ended.FORCED
            return
        if self.lifespan.should_exit:
            raise self._app.startup_error()
        for sock in self._sockets:
            acceptor = Acceptor(sock, self._options.accepting, self._make_protocol, self._count_served)
            acceptor.open()
            self._acceptors.append(acceptor)
        self.started = True
        self._hooks.ready(tuple(bound_address(sock) for sock in self._sockets))

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: look for the wish to stop, and do the hourly work."""
        if counter and counter % _TICKS_PER_HOUR == 0:
            self._hooks.hourly()
        if self._stop is not None and self._stop.is_set():
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what is in flight within the grace time, then shut the application down."""
        for acceptor in self._acceptors:
            acceptor.close()
        self._hooks.stopping()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._unless_forced(self._finish_in_flight)
        await self._unless_forced(self.lifespan.shutdown)
        if self._forced.is_set():
            self.ended = Ended.FORCED

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Take the signals over while serving. Unlike the library, do not raise them again afterwards: the caller
        still has stores to close."""
        if self._stop is not None:
            yield
            return
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def _on_signal(self, number: signal.Signals) -> None:
        if self.should_exit:
            self._forced.set()
            self._app.is_abandoned = True
        # First the wish, then the log line: nothing may fail on the way to stopping, a closed terminal included.
        self.should_exit = True
        _log.info("listener.signal", signal=number.name, forced=self._forced.is_set())

    def _make_protocol(self) -> EdgeProtocol:
        return EdgeProtocol(self.config, self.server_state, self.lifespan.state, self._options.connection)

    def _count_served(self) -> int:
        return len(self.server_state.connections)

    async def _finish_in_flight(self) -> None:
        tasks, connections = self.server_state.tasks, self.server_state.connections
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._options.grace_seconds):
                for acceptor in self._acceptors:
                    await acceptor.wait_closed()
                while tasks or connections:
                    # A connection outlives its last request until the answer is flushed; there is no event for that.
                    await asyncio.wait(set(tasks), timeout=0.05) if tasks else await asyncio.sleep(0.02)
                return
        self.ended = Ended.OUT_OF_TIME
        _log.warning("listener.cut_off", requests=len(tasks), connections=len(connections))
        for task in tasks:
            task.cancel()
        if tasks:
            # The application must not be shut down under requests that are still rolling back.
            await asyncio.wait(set(tasks), timeout=2.0)

    async def _unless_forced(self, work: Callable[[], Awaitable[None]]) -> None:
        if self._forced.is_set():
            return
        task = asyncio.ensure_future(work())
        forced = asyncio.ensure_future(self._forced.wait())
        await asyncio.wait((task, forced), return_when=asyncio.FIRST_COMPLETED)
        forced.cancel()
        if task.done():
            task.result()
        else:
            task.cancel()


class _LifespanWitness:
    """Remembers the exception that ended the application's startup: the library only logs it.

    Once it `is_abandoned`, the application is cut off wherever it waits, and its complaint about that is not passed on.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.is_abandoned = False
        self._app = app
        self._error: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            return await self._app(scope, receive, send)

        async def pass_on(message: Message) -> None:
            if not (self.is_abandoned and message["type"] == "lifespan.shutdown.failed"):
                await send(message)

        try:
            await self._app(scope, receive, pass_on)
        except BaseException as error:
            self._error = error
            raise

    def startup_error(self) -> SpecloopError:
        """What to raise when the startup failed."""
        if isinstance(self._error, SpecloopError):
            return self._error
        failure = ApplicationFailedToStart()
        failure.__cause__ = self._error
        return failure


def _config(app: ASGIApp, options: ListenerOptions) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        interface="asgi3",
        loop="none",
        http=EdgeProtocol,
        ws="none",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        timeout_keep_alive=options.keep_alive_seconds,
    )


def bound_address(sock: socket.socket) -> ListenAddress:
    """Where a bound socket really listens: the port is known even when any free one was asked for."""
    host, port = sock.getsockname()[:2]
    return ListenAddress(host, port)
