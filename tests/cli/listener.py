"""A small HTTP server that writes down what a client sends and answers uploads as told."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from specloop.kit import json


@dataclass(frozen=True, slots=True)
class Heard:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass(slots=True)
class Listener:
    """What was heard so far; `busy` is answered to the next uploads as (status, Retry-After)."""

    url: str
    busy: list[tuple[int, str]]
    requests: list[Heard] = field(default_factory=list[Heard])


@contextmanager
def listening(busy: Sequence[tuple[int, str]] = ()) -> Generator[Listener]:
    """A server on loopback."""
    listener = Listener("", list(busy))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, {"success": True, "data": {"sessions": {}}})

        def do_PUT(self) -> None:
            if listener.busy:
                status, seconds = listener.busy.pop(0)
                self._answer(status, {"success": False, "error": "Busy"}, {"Retry-After": seconds})
            else:
                self._answer(201, {"success": True, "data": {}})

        def log_message(self, format: str, *args: object) -> None:
            return

        def _answer(self, status: int, document: object, headers: dict[str, str] | None = None) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            sent = {name.lower(): value for name, value in self.headers.items()}
            listener.requests.append(Heard(self.command, self.path, sent, body, time.monotonic()))
            answer = json.dumps(document)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(answer)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
