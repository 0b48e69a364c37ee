"""The accept loop of one listening socket: TLS and plain HTTP on the same port.

It looks at the first byte of a connection without taking it (0x16 opens a TLS handshake, RFC 8446 §5.1) and hands the
socket over with or without TLS. Plain HTTP from another machine is refused here. It knows nothing of HTTP beyond the
two short answers that it gives itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from specloop.kit.log import get_logger
from specloop.transport.net.addresses import is_loopback

_log = get_logger(__name__)

_TLS_HANDSHAKE = 0x16
_ACCEPTS_PER_TURN = 64
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_LINGER_SECONDS = 1.0


def _text_answer(status: str, text: str, extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(text)}\r\n"
        f"x-content-type-options: nosniff\r\n{extra}connection: close\r\n\r\n{text}"
    ).encode("ascii")


_PLAIN_REFUSED = _text_answer("403 Forbidden", "Plain HTTP is refused from other machines. Use https:// instead.\n")
_TOO_MANY = _text_answer("503 Service Unavailable", "Too many connections.\n", "retry-after: 1\r\n")


@dataclass(frozen=True, slots=True)
class AcceptPolicy:
    """Who gets in. Times in seconds."""

    tls: ssl.SSLContext | None = None
    is_plain_http_allowed: bool = False
    connections_max: int = 2000
    first_byte_seconds: float = 10.0
    handshake_seconds: float = 10.0


class Acceptor:
    """Accepts on one socket until closed."""

    def __init__(
        self,
        sock: socket.socket,
        policy: AcceptPolicy,
        make_protocol: Callable[[], asyncio.Protocol],
        count_served: Callable[[], int],
    ) -> None:
        """`count_served` tells how many connections have a protocol already; those here are added to it."""
        self._sock = sock
        self._policy = policy
        self._make_protocol = make_protocol
        self._count_served = count_served
        self._loop = asyncio.get_running_loop()
        self._arrivals: set[asyncio.Task[None]] = set()
        self._retry: asyncio.TimerHandle | None = None

    def open(self) -> None:
        """Begin to accept."""
        self._loop.add_reader(self._sock.fileno(), self._accept_waiting)

    def close(self) -> None:
        """Stop accepting, and let go of connections that have not said anything yet."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock.fileno())
        if self._retry is not None:
            self._retry.cancel()
        self._sock.close()
        for arrival in self._arrivals:
            arrival.cancel()

    async def wait_closed(self) -> None:
        """Until every arrival has been let go."""
        if self._arrivals:
            await asyncio.wait(self._arrivals)

    def _accept_waiting(self) -> None:
        for _ in range(_ACCEPTS_PER_TURN):
            try:
                connection, _peer = self._sock.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in _OUT_OF_DESCRIPTORS:
                    self._pause(error)
                    return
                continue  # the peer left before we looked
            self._welcome(connection)

    def _welcome(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._count_served() + len(self._arrivals) >= self._policy.connections_max:
            with contextlib.suppress(OSError):
                connection.send(_TOO_MANY)
            connection.close()
            return
        arrival = self._loop.create_task(self._receive(connection))
        self._arrivals.add(arrival)
        arrival.add_done_callback(self._arrivals.discard)

    def _pause(self, error: OSError) -> None:
        # Out of file descriptors: the waiting peer stays in the backlog, so accepting at once would only spin.
        _log.error("listener.paused", reason=error.strerror)
        self._loop.remove_reader(self._sock.fileno())
        self._retry = self._loop.call_later(1.0, self.open)

    async def _receive(self, connection: socket.socket) -> None:
        try:
            await self._hand_over(connection)
        except (OSError, TimeoutError):
            connection.close()  # silence, a broken handshake, or a peer that has left: nothing to answer
        except asyncio.CancelledError:
            connection.close()
            raise

    async def _hand_over(self, connection: socket.socket) -> None:
        async with asyncio.timeout(self._policy.first_byte_seconds):
            first = await self._peek(connection)
        if first is None:
            connection.close()
        elif first == _TLS_HANDSHAKE and self._policy.tls is not None:
            await self._loop.connect_accepted_socket(
                self._make_protocol,
                connection,
                ssl=self._policy.tls,
                ssl_handshake_timeout=self._policy.handshake_seconds,
                ssl_shutdown_timeout=_LINGER_SECONDS,
            )
        elif self._is_plain_http_welcome(connection):
            await self._loop.connect_accepted_socket(self._make_protocol, connection)
        else:
            await self._refuse(connection)

    async def _peek(self, connection: socket.socket) -> int | None:
        """The first byte, left in the socket; None when the peer closed without one."""
        while True:
            try:
                data = connection.recv(1, socket.MSG_PEEK)
            except (BlockingIOError, InterruptedError):
                await self._until_readable(connection)
            else:
                return data[0] if data else None

    async def _until_readable(self, connection: socket.socket) -> None:
        readable = self._loop.create_future()
        self._loop.add_reader(connection.fileno(), _settle, readable)
        try:
            await readable
        finally:
            self._loop.remove_reader(connection.fileno())

    def _is_plain_http_welcome(self, connection: socket.socket) -> bool:
        return self._policy.is_plain_http_allowed or is_loopback(connection.getpeername()[0])

    async def _refuse(self, connection: socket.socket) -> None:
        """Say why, then read to the end: closing over unread bytes would reset the connection and lose the answer."""
        async with asyncio.timeout(_LINGER_SECONDS):
            await self._loop.sock_sendall(connection, _PLAIN_REFUSED)
            connection.shutdown(socket.SHUT_WR)
            while await self._loop.sock_recv(connection, 65536):
                pass
        connection.close()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
