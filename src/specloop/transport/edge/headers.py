"""Security headers on every answer. A route that needs another value sets it itself and is left alone."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.transport.edge.hosts import LOOPBACK_NAMES, parse_authority
from specloop.transport.edge.messages import Headers, only_header
from specloop.transport.edge.policy import EdgePolicy
from specloop.transport.net import is_loopback

_PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class SecurityHeaders:
    """The middleware."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._fields: Headers = [
            (b"content-security-policy", policy.content_security_policy.encode("ascii")),
            (b"x-content-type-options", b"nosniff"),
            # Not `no-referrer`: with it browsers send `Origin: null` along with our own forms.
            (b"referrer-policy", b"same-origin"),
            (b"permissions-policy", _PERMISSIONS.encode("ascii")),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        hsts = (b"strict-transport-security", b"max-age=%d" % policy.hsts_seconds)
        self._fields_over_tls: Headers = [*self._fields, hsts]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        fields = self._fields_over_tls if _is_hsts_wanted(scope) else self._fields

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers: Headers = list(message.get("headers", ()))
                present = {name.lower() for name, _ in headers}
                message["headers"] = headers + [field for field in fields if field[0] not in present]
            await send(message)

        return await self._app(scope, receive, send_with_headers)


def _is_hsts_wanted(scope: Scope) -> bool:
    """Only over TLS (RFC 6797 §7.2), and not for loopback: there it would lock the user out of every other port."""
    if scope["scheme"] != "https":
        return False
    authority = parse_authority(only_header(scope, b"host"))
    return authority is not None and authority.host not in LOOPBACK_NAMES and not is_loopback(authority.host)
