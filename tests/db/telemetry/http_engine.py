"""ClickHouse's HTTP interface in front of chDB, as a process of its own: a real engine behind a door made for tests.

There is no ClickHouse server among the packages that a test machine can install by itself. What a server gets from
Specloop (statements, bound parameters, settings, bodies, formats) is the same; users and clusters are not played.
"""

from __future__ import annotations

import re
import sys
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import chdb

NO_SETTINGS = {
    *("query", "database", "user", "password", "role", "default_format", "query_id", "session_id", "session_timeout"),
    *("compress", "decompress", "enable_http_compression", "buffer_size", "wait_end_of_query"),
    *("client_protocol_version", "send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    *("cancel_http_readonly_queries_on_client_close", "readonly"),
}
"""Parameters of a request that are about itself; `readonly` could not be taken back from the one connection."""

_INPUT = re.compile(r"input\((\{structure:String\})\)")
_LAST_FORMAT = re.compile(r"\sFORMAT (\w+)\s*\Z")
_CODE = re.compile(r"Code: (\d+)")


class Engine:
    """One request at a time, as chDB's connection wants it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._connection: Any = cast("Any", chdb).connect(str(folder / "engine"))
        self._lock = Lock()

    def run(self, asked: dict[str, str], body: bytes) -> bytes:
        """The answer to a statement in the parameter `query` with data in the body, or in the body alone."""
        query, data = (asked["query"], body) if "query" in asked else (body.decode(), b"")
        bound = {name[6:]: value for name, value in asked.items() if name.startswith("param_")}
        with self._lock, tempfile.NamedTemporaryFile(dir=self._folder) as file:
            self._connection.query(f"USE {asked.get('database') or 'default'}")
            for name, value in asked.items():
                if name not in NO_SETTINGS and not name.startswith("param_"):
                    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
                    self._connection.query(f"SET {name} = '{quoted}'")
            if data and (form := _LAST_FORMAT.search(query)):
                file.write(data)
                file.flush()
                query = _INPUT.sub(rf"file('{file.name}', {form[1]}, \1)", query[: form.start()])
            answer = self._connection.query(query, asked.get("default_format", "TabSeparated"), params=bound)
            return bytes(answer.bytes())


class Door(BaseHTTPRequestHandler):
    """The HTTP interface."""

    protocol_version = "HTTP/1.1"
    engine: Engine

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """A ping or a statement."""
        self._serve()

    def do_POST(self) -> None:
        """A statement."""
        self._serve()

    def _serve(self) -> None:
        address = urlsplit(self.path)
        body = self._body()
        try:
            answer = b"Ok.\n" if address.path == "/ping" else self._run(address.query, body)
        except Exception as error:
            code = _CODE.search(str(error))
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "1000"})
        else:
            self._answer(200, answer, {"X-ClickHouse-Timezone": "UTC"})

    def _run(self, query: str, body: bytes) -> bytes:
        return self.engine.run(dict(parse_qsl(query, keep_blank_values=True)), body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Door.engine = Engine(Path(sys.argv[1]))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    print(server.server_address[1], flush=True)
    server.serve_forever()
