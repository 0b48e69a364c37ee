"""One HTTP connection: the server library's own protocol, plus deadlines and a header limit that it lacks.

A peer that owes bytes (the rest of its headers, the rest of a body nobody reads any more, or room for our answer) is
cut off when it takes too long. The deadline of a body that is being read belongs to `transport.edge.bodies`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

_LINGER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ConnectionPolicy:
    """What one connection may cost. Times in seconds, sizes in bytes."""

    header_seconds: float = 10.0
    header_bytes_max: int = 64 * 1024
    leftover_seconds: float = 5.0
    stalled_write_seconds: float = 60.0


class EdgeProtocol(HttpToolsProtocol):
    """HTTP/1.1 on one socket with bounded patience."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        policy: ConnectionPolicy,
    ) -> None:
        super().__init__(config, server_state, app_state)
        self._policy = policy
        self._is_reading_headers = True
        self._is_message_open = False
        self._is_deaf = False
        self._header_bytes = 0
        self._field_bytes = 0
        self._patience: asyncio.TimerHandle | None = None
        self._write_clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the clock of the first request's headers."""
        super().connection_made(transport)
        self._wait_at_most(self._policy.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Drop the deadlines together with the connection."""
        self._stop_waiting()
        self._stop_write_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the headers have outgrown their limit or the peer is not listened to any more."""
        if self._is_deaf:
            return
        if self._is_reading_headers:
            self._header_bytes += len(data)
            if self._patience is None:
                self._wait_at_most(self._policy.header_seconds)
        super().data_received(data)
        if self._is_reading_headers and self._header_bytes > self._policy.header_bytes_max:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request line begins."""
        super().on_message_begin()
        self._is_message_open = True
        self._field_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the fields too: a whole oversized header can arrive in one read."""
        self._field_bytes += len(name) + len(value) + 4
        if self._field_bytes > self._policy.header_bytes_max:
            raise _HeadersTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are whole: the peer owes no more of them."""
        self._is_reading_headers = False
        self._header_bytes = 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole; what follows is the next request's header."""
        self._is_message_open = False
        self._is_reading_headers = True
        self._stop_waiting()
        super().on_message_complete()
        if self.cycle.response_complete:
            # The idle clock was started with the answer and stopped again by these late body bytes.
            self._wait_at_most(self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        """An answer given before its request was read to the end: the rest must come soon."""
        super().on_response_complete()
        if self._is_message_open and not self.transport.is_closing():
            self._wait_at_most(self._policy.leftover_seconds)

    def pause_writing(self) -> None:
        """The peer does not read; from now on it is on the clock."""
        super().pause_writing()
        self._stop_write_clock()
        self._write_clock = self.loop.call_later(self._policy.stalled_write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The peer reads again."""
        super().resume_writing()
        self._stop_write_clock()

    def send_400_response(self, msg: str) -> None:
        """Answer junk and oversized headers, but never into the middle of an answer that is being written."""
        if self.transport.is_closing() or self._is_deaf:
            return
        if not self._is_answering():
            self._answer_and_close(*self._complaint())
        elif self._is_reading_headers:
            # Junk behind a whole request: that one still gets its answer, then the connection ends.
            self._is_deaf = True
            self.cycle.keep_alive = False
        elif self.cycle.response_started or self.pipeline:
            self.transport.close()
        else:
            # The body itself is broken: the application sees a client that left, the client sees why.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._answer_and_close(*self._complaint())

    def _is_answering(self) -> bool:
        # The library types `cycle` as always present; before the first request it is None.
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return cycle is not None and not cycle.response_complete

    def _complaint(self) -> tuple[int, bytes]:
        if max(self._header_bytes, self._field_bytes) > self._policy.header_bytes_max:
            return 431, b"The request headers are too large."
        return 400, b"This is not a valid HTTP request."

    def _answer_and_close(self, status: int, text: bytes) -> None:
        """Say why, then let the peer finish: closing over unread bytes would reset the connection under the answer."""
        head = b"content-type: text/plain; charset=utf-8\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[status] + head % len(text) + text)
        self._is_deaf = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._wait_at_most(_LINGER_SECONDS)

    def _wait_at_most(self, seconds: float) -> None:
        self._stop_waiting()
        self._patience = self.loop.call_later(seconds, self._lose_patience)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _stop_write_clock(self) -> None:
        if self._write_clock is not None:
            self._write_clock.cancel()
            self._write_clock = None

    def _lose_patience(self) -> None:
        self._patience = None
        if self.transport.is_closing():
            self.transport.abort()
        elif self._is_message_open and self._is_reading_headers and not self._is_answering() and not self._is_deaf:
            self._answer_and_close(408, b"The request headers did not arrive in time.")
        else:
            self.transport.close()


class _HeadersTooLarge(Exception):
    """Stops the parser; the peer is told by `send_400_response`."""
