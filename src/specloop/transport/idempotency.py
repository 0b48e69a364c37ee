"""`Idempotency-Key`: the first answer is kept for 24 hours and given again (spectral.md §1.0)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from specloop.db import replies
from specloop.db.context import Context
from specloop.errors import BadRequest, IdempotencyConflict
from specloop.kit import json
from specloop.kit.crypto import sha256_hex

KEY_LENGTH_MAX = 255
_KEPT_HEADERS = ("content-type", "location", "etag")


async def run_once(
    ctx: Context,
    request: Request,
    route: str,
    secret_fields: tuple[str, ...],
    handler: Callable[[Request], Coroutine[Any, Any, Response]],
) -> Response:
    """Run `handler`, or replay what it answered to the same principal, route and key.

    Raises: IdempotencyConflict when the key was used with another body; BadRequest for a malformed key.
    """
    key = request.headers["idempotency-key"]
    if not 1 <= len(key) <= KEY_LENGTH_MAX:
        raise BadRequest(f"Idempotency-Key must have 1 to {KEY_LENGTH_MAX} characters")
    if ctx.principal.user_id is None and ctx.principal.key_id is None:
        return await handler(request)
    claim = replies.Claim(ctx.principal.actor_id, f"{request.method} {route} {request.url.path}", key)
    body_hash = sha256_hex(await request.body())
    stored = await replies.take(ctx, claim, body_hash)
    if stored is None:
        response = await handler(request)
        if response.status_code < 400:
            await replies.keep(ctx, claim, _stored(response, body_hash, secret_fields))
        return response
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
