"""Every request has an id: the caller's when it is harmless, else a new one (spectral.md §1.0).

It is in `scope["state"]["request_id"]`, in every log line of the request, and in the answer.
"""

from __future__ import annotations

import re

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.kit.ids import new_id
from specloop.transport.edge.messages import header_values

# Nothing that could break a header, a log line or a page that shows it.
_HARMLESS = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}")


class RequestIds:
    """The middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = accepted_id(header_values(scope, b"x-request-id")) or new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        field = (b"x-request-id", request_id.encode("ascii"))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), field]
            await send(message)

        return await self._app(scope, receive, send_with_id)


def accepted_id(values: list[bytes]) -> str | None:
    """The id that the caller sent, if there is exactly one and it is harmless."""
    if len(values) != 1 or _HARMLESS.fullmatch(values[0]) is None:
        return None
    return values[0].decode("ascii")
