"""Small things that several edge middlewares do with ASGI messages."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send

from specloop.errors import SpecloopError
from specloop.transport.edge.policy import RenderError

Headers = list[tuple[bytes, bytes]]

_LINGER_SECONDS = 1.0


def header_values(scope: Scope, name: bytes) -> list[bytes]:
    """All values of the request header `name` (lower case), in order."""
    return [value for key, value in scope["headers"] if key == name]


def only_header(scope: Scope, name: bytes) -> str:
    """The request header `name` as text; "" when it is absent, repeated values joined by commas."""
    return b",".join(header_values(scope, name)).decode("latin-1").strip()


async def refuse(scope: Scope, send: Send, error: SpecloopError, render: RenderError) -> None:
    """Answer `error` in the dialect of the path."""
    status, headers, body = render(scope, error)
    await send({"type": "http.response.start", "status": status, "headers": _with_length(headers, body)})
    await send({"type": "http.response.body", "body": body})


async def refuse_body(scope: Scope, receive: Receive, send: Send, error: SpecloopError, render: RenderError) -> None:
    """Answer `error` while the body is still arriving, and close.

    The answer goes out whole at once. The connection is closed a moment later, since closing over bytes that nobody
    has read resets it, and many clients then lose the answer.
    """
    status, headers, body = render(scope, error)
    headers = [*_with_length(headers, body), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _drain(receive)
    await send({"type": "http.response.body", "body": b""})


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        return


def _with_length(headers: Headers, body: bytes) -> Headers:
    if any(name.lower() == b"content-length" for name, _ in headers):
        return headers
    return [*headers, (b"content-length", str(len(body)).encode("ascii"))]
