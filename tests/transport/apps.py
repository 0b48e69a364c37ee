"""Small ASGI applications that the edge tests serve."""

from __future__ import annotations

import asyncio
import json

from starlette.types import Receive, Scope, Send


async def answer(
    send: Send, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...] = (), more: bool = False
) -> None:
    """One whole answer (or, with `more`, its beginning)."""
    start = [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body, "more_body": more})


async def read_all(receive: Receive) -> bytes:
    """The whole request body."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the client left")
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers every request with the scheme it came by."""
    if scope["type"] == "http":
        await answer(send, 200, f"hello over {scope['scheme']}".encode())


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what the application saw: headers, length of the body, state."""
    if scope["type"] != "http":
        return
    body = await read_all(receive)
    seen = {
        "path": scope["path"],
        "headers": {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        "length": len(body),
        "start": body[:64].decode("latin-1"),
        "state": {key: str(value) for key, value in scope.get("state", {}).items()},
    }
    await answer(send, 200, json.dumps(seen).encode())


class Gate:
    """Holds requests until it is opened, so that a test can act while one is in flight."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.shut_down = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        self.entered.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        await answer(send, 200, b"finished")

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.shut_down.set()
        await send({"type": "lifespan.shutdown.complete"})
