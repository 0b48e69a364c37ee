"""`Idempotency-Key`: the first answer is kept for 24 hours and given again (spectral.md §1.0)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response

from specloop.db import replies
from specloop.db.context import Context
from specloop.errors import BadRequest, IdempotencyConflict
from specloop.kit import json
from specloop.kit.context import Principal
from specloop.kit.crypto import sha256_hex

KEY_LENGTH_MAX = 255
_KEPT_HEADERS = ("content-type", "location", "etag")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class OpenContext(Protocol):
    """Opens a context of the request's caller, with a transaction of its own."""

    def __call__(self, *, is_writing: bool) -> AbstractAsyncContextManager[Context]:
        """The context."""
        ...


async def run_once(
    ctx: Context,
    request: Request,
    route: str,
    secret_fields: tuple[str, ...],
    handler: Handler,
) -> Response:
    """Run `handler`, or replay what it answered to the same principal, route and key.

    Raises: IdempotencyConflict when the key was used with another body; BadRequest for a malformed key.
    """
    claim = _claim(ctx.principal, request, route)
    if claim is None:
        return await handler(request)
    body_hash = sha256_hex(await request.body())
    stored = await replies.take(ctx, claim, body_hash)
    if stored is not None:
        return _replayed(stored, body_hash)
    response = await handler(request)
    if response.status_code < 400:
        await replies.keep(ctx, claim, _stored(response, body_hash, secret_fields))
    return response


async def run_then_keep(open_context: OpenContext, request: Request, route: str, handler: Handler) -> Response:
    """`run_once` for a handler that commits by itself: its answer is kept afterwards, in a transaction of its own.

    Two requests that come at the same moment are both run, so the handler must be one that may run twice.
    """
    async with open_context(is_writing=False) as ctx:
        claim = _claim(ctx.principal, request, route)
        stored = None if claim is None else await replies.find(ctx, claim)
    body_hash = sha256_hex(await request.body())
    if stored is not None:
        return _replayed(stored, body_hash)
    response = await handler(request)
    if claim is not None and response.status_code < 400:
        async with open_context(is_writing=True) as ctx:
            if await replies.take(ctx, claim, body_hash) is None:
                await replies.keep(ctx, claim, _stored(response, body_hash, ()))
    return response


def _claim(principal: Principal, request: Request, route: str) -> replies.Claim | None:
    """The claim that the request makes; None for a caller without a name."""
    key = request.headers["idempotency-key"]
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise BadRequest(f"Idempotency-Key must have 1 to {KEY_LENGTH_MAX} characters")
    if principal.user_id is None and principal.key_id is None:
        return None
    return replies.Claim(principal.actor_id, f"{request.method} {route} {request.url.path}", key)


def _replayed(stored: replies.Reply, body_hash: str) -> Response:
    if stored.body_hash != body_hash:
        raise IdempotencyConflict
    headers = {**stored.headers, "Idempotency-Replayed": "true"}
    return Response(stored.body, status_code=stored.status, headers=headers)


def _stored(response: Response, body_hash: str, secret_fields: tuple[str, ...]) -> replies.Reply:
    body = bytes(response.body)
    if secret_fields and body:
        document = json.loads(body)
        body = json.dumps({**document, **dict.fromkeys(secret_fields)})
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return replies.Reply(body_hash, response.status_code, headers, body)
