"""Who may call from a web page: the Origin check and the CORS headers (ARCHITECTURE §4a).

Our own pages and listed origins may do everything. Pages of other loopback ports may call without cookies. All others
may do nothing that changes something or carries a cookie, and cannot read an answer. Credentials are never offered.
"""

from __future__ import annotations

from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.edge.errors import ForeignOrigin
from specloop.transport.edge.hosts import LOOPBACK_NAMES, Authority, parse_authority
from specloop.transport.edge.messages import Headers, header_values, only_header, refuse
from specloop.transport.edge.policy import EdgePolicy
from specloop.transport.net import is_loopback

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_DEFAULT_PORTS = {"http": 80, "https": 443}
_METHODS = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_REQUEST_HEADERS = (
    b"Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Mcp-Method, "
    b"Mcp-Name, Mcp-Protocol-Version, Mcp-Session-Id, Traceparent, Tracestate, X-GraphQL-Introspection, X-Request-Id, "
    b"X-SDK-Language, X-SDK-Version, X-Workspace-Id"
)
_RESPONSE_HEADERS = (
    b"Content-Disposition, Deprecation, ETag, Idempotency-Replayed, Link, Location, Mcp-Protocol-Version, "
    b"Mcp-Session-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, Retry-After, Sunset, WWW-Authenticate, "
    b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
)


class OriginKind(StrEnum):
    """What the Origin of a request is to us; found in `scope["state"]["origin"]`."""

    NONE = "none"
    OWN = "own"
    LISTED = "listed"
    LOOPBACK = "loopback"
    FOREIGN = "foreign"


Origin = tuple[str, Authority]


def parse_origin(text: str) -> Origin | None:
    """Scheme and authority, the port always given; None for `null` and whatever is no origin (RFC 6454 §7)."""
    scheme, separator, rest = text.partition("://")
    authority = parse_authority(rest) if separator else None
    if authority is None or scheme not in _DEFAULT_PORTS:
        return None
    return scheme, _with_port(scheme, authority)


def _with_port(scheme: str, authority: Authority) -> Authority:
    return authority if authority.port is not None else Authority(authority.host, _DEFAULT_PORTS[scheme])


class Origins:
    """The middleware."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._policy = policy
        self._listed = frozenset(parse_origin(origin) or origin for origin in policy.origins)
        self._preflight: Headers = [
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _REQUEST_HEADERS),
            (b"access-control-max-age", b"600"),
            (b"vary", b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        kind = self._kind(scope)
        scope.setdefault("state", {})["origin"] = kind
        if self._is_refused(scope, kind):
            return await refuse(scope, _naming_no_origin(send), ForeignOrigin(), self._policy.render_error)
        if kind in (OriginKind.NONE, OriginKind.FOREIGN):
            return await self._app(scope, receive, _naming_no_origin(send))
        if _is_preflight(scope):
            return await self._answer_preflight(scope, send)
        return await self._app(scope, receive, _naming_origin(send, header_values(scope, b"origin")[0]))

    def _kind(self, scope: Scope) -> OriginKind:
        values = header_values(scope, b"origin")
        if not values:
            return OriginKind.NONE if not _is_cross_site(scope) else OriginKind.FOREIGN
        text = values[0].decode("latin-1") if len(values) == 1 else "null"
        origin = parse_origin(text)
        # A listed origin may be of another kind, such as a browser extension; those are compared as text.
        if (origin or text) in self._listed:
            return OriginKind.LISTED
        if origin is None:
            return OriginKind.FOREIGN
        if origin == _own_origin(scope):
            return OriginKind.OWN
        host = origin[1].host
        return OriginKind.LOOPBACK if host in LOOPBACK_NAMES or is_loopback(host) else OriginKind.FOREIGN

    def _is_refused(self, scope: Scope, kind: OriginKind) -> bool:
        has_cookie = bool(header_values(scope, b"cookie"))
        if kind is OriginKind.LOOPBACK:
            # Cookies do not know ports: another program's page on this machine must not act as the signed-in user.
            return has_cookie
        if kind is not OriginKind.FOREIGN:
            return False
        return (
            has_cookie
            or scope["method"] not in _SAFE_METHODS
            or _is_preflight(scope)
            or any(_is_below(scope["path"], prefix) for prefix in self._policy.strict_origin_prefixes)
        )

    async def _answer_preflight(self, scope: Scope, send: Send) -> None:
        headers: Headers = [(b"access-control-allow-origin", header_values(scope, b"origin")[0]), *self._preflight]
        if header_values(scope, b"access-control-request-private-network"):
            headers.append((b"access-control-allow-private-network", b"true"))
        # SpecStory's contract promises a body for OPTIONS; browsers do not read it (specstory.md §1.0).
        body = b'{"success":true}' if dialect_of(scope["path"]) is Dialect.RECORD else b""
        headers.append((b"content-length", str(len(body)).encode("ascii")))
        if body:
            headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _own_origin(scope: Scope) -> Origin | None:
    authority = parse_authority(only_header(scope, b"host"))
    return None if authority is None else (scope["scheme"], _with_port(scope["scheme"], authority))


def _is_cross_site(scope: Scope) -> bool:
    """A changing request that a browser marks as coming from elsewhere, though it names no origin.

    Navigation by a link is cross-site as well and must work, so safe methods are not asked.
    """
    if scope["method"] in _SAFE_METHODS:
        return False
    return only_header(scope, b"sec-fetch-site") in ("cross-site", "same-site")


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and bool(header_values(scope, b"access-control-request-method"))


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix.rstrip("/") + "/")


def _naming_origin(send: Send, origin: bytes) -> Send:
    return _adding(
        send,
        [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _RESPONSE_HEADERS),
            (b"vary", b"Origin"),
        ],
    )


def _naming_no_origin(send: Send) -> Send:
    # A cache must not hand an answer without CORS headers to a page that would have got them.
    return _adding(send, [(b"vary", b"Origin")])


def _adding(send: Send, fields: Headers) -> Send:
    async def send_with_fields(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *fields]
        await send(message)

    return send_with_fields
