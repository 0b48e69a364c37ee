"""Reads the whole request body before the application starts, bounded in size, time and memory.

The limit counts after decompression; the application sees a plain body of known length. Reading first means that a
slow or broken body never holds a transaction open. The cost is memory, so all held bodies together are bounded too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.errors import PayloadTooLarge, RequestTimeout, SpecloopError, Unavailable, UnsupportedMediaType
from specloop.transport.edge.inflate import GzipInflater
from specloop.transport.edge.messages import Headers, header_values, only_header, refuse_body
from specloop.transport.edge.policy import BodyLimit, EdgePolicy

_FRAMING = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})
_YIELD_EVERY_BYTES = 1024 * 1024


class Bodies:
    """The middleware."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._policy = policy
        self._held_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            return await self._app(scope, receive, send)
        holding = _Holding(self)
        try:
            body = await self._read(scope, receive, holding)
        except _ClientLeft:
            return None
        except SpecloopError as error:
            holding.release()
            return await refuse_body(scope, receive, send, error, self._policy.render_error)
        else:
            scope["headers"] = _plain_headers(scope, len(body))
            return await self._app(scope, _replay(body, receive), send)
        finally:
            holding.release()

    async def _read(self, scope: Scope, receive: Receive, holding: _Holding) -> bytes:
        limit = self._policy.body_limit(scope["path"], scope["method"])
        inflater = _inflater_for(only_header(scope, b"content-encoding"), limit)
        if _declared_length(scope) > limit.wire_max:
            raise _too_large(limit)
        wire = _Wire(receive, limit)
        pieces: list[bytes] = []
        while (chunk := await wire.next()) is not None:
            for piece in (chunk,) if inflater is None else inflater.feed(chunk):
                holding.add(len(piece))
                pieces.append(piece)
                if inflater is not None and holding.bytes % _YIELD_EVERY_BYTES < len(piece):
                    await asyncio.sleep(0)
        if inflater is not None:
            inflater.finish()
        return b"".join(pieces)

    def hold(self, count: int) -> None:
        """Account for `count` more bytes in memory. Raises: Unavailable when there are too many."""
        if self._held_bytes + count > self._policy.buffered_bytes_max:
            raise Unavailable("too many request bodies are being read at the same time", retry_after=1)
        self._held_bytes += count

    def let_go(self, count: int) -> None:
        """The opposite of `hold`."""
        self._held_bytes -= count


class _Holding:
    """The share of one request in the memory budget."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self.bytes = 0

    def add(self, count: int) -> None:
        self._bodies.hold(count)
        self.bytes += count

    def release(self) -> None:
        self._bodies.let_go(self.bytes)
        self.bytes = 0


class _ClientLeft(Exception):
    """The connection closed before the body was whole: there is nobody to answer."""


class _Wire:
    """The body as it arrives: counted and timed."""

    def __init__(self, receive: Receive, limit: BodyLimit) -> None:
        self._receive = receive
        self._limit = limit
        self._bytes = 0
        self._start = asyncio.get_running_loop().time()
        self._is_complete = False

    async def next(self) -> bytes | None:
        """The next chunk, or None after the last. Raises: PayloadTooLarge, RequestTimeout, _ClientLeft."""
        if self._is_complete:
            return None
        message = await self._receive_in_time()
        if message["type"] == "http.disconnect":
            raise _ClientLeft
        chunk: bytes = message.get("body", b"")
        self._is_complete = not message.get("more_body", False)
        self._bytes += len(chunk)
        if self._bytes > self._limit.wire_max:
            raise _too_large(self._limit)
        return chunk

    async def _receive_in_time(self) -> Message:
        allowed = self._limit.grace_seconds + self._bytes / self._limit.bytes_per_second_min
        try:
            async with asyncio.timeout_at(self._start + allowed):
                return await self._receive()
        except TimeoutError as error:
            raise RequestTimeout("the body did not arrive in time") from error


def _has_body(scope: Scope) -> bool:
    return _declared_length(scope) > 0 or bool(header_values(scope, b"transfer-encoding"))


def _declared_length(scope: Scope) -> int:
    # The parser has refused repeated and malformed lengths already; another server in front might not have.
    text = only_header(scope, b"content-length")
    return int(text) if text.isascii() and text.isdigit() else 0


def _inflater_for(encoding: str, limit: BodyLimit) -> GzipInflater | None:
    match encoding.lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return GzipInflater(limit.inflated_bytes_max)
        case _:
            # RFC 9110 §12.5.3: the answer says which encodings would do.
            raise UnsupportedMediaType("the body may be encoded with gzip only", headers={"Accept-Encoding": "gzip"})


def _too_large(limit: BodyLimit) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is larger than {limit.wire_max} bytes")


def _plain_headers(scope: Scope, length: int) -> Headers:
    kept: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return [*((n, v) for n, v in kept if n not in _FRAMING), (b"content-length", str(length).encode("ascii"))]


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body as one message; afterwards the connection speaks for itself again (it tells when the client leaves)."""
    message: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal message
        if message is None:
            return await receive()
        first, message = message, None
        return first

    return replay
