"""Refuses requests that were meant for another host name: the defence against DNS rebinding.

A page of evil.example can make that name point to this server and then counts as its own origin; what it cannot do is
send another Host header. So a request must name this server: a loopback name, the very address it arrived at, or a
configured name. Ports are not compared, because tunnels and containers change them and rebinding gains nothing by it.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from specloop.errors import MisdirectedRequest, SpecloopError
from specloop.transport.edge.errors import BadHost
from specloop.transport.edge.messages import header_values, refuse
from specloop.transport.edge.policy import EdgePolicy
from specloop.transport.net import is_loopback

LOOPBACK_NAMES = frozenset({"localhost"})

_AUTHORITY = re.compile(
    r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,254}))(?::(?P<port>[0-9]{1,5}))?"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# What browsers take for an IPv4 address in one of its odd spellings (WHATWG URL §3.5, "ends in a number").
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Authority:
    """A host in its one canonical spelling (lower case, no brackets, no final dot) and a port."""

    host: str
    port: int | None = None


def parse_authority(text: str) -> Authority | None:
    """`host[:port]` as in a Host header (RFC 9110 §7.2); None for anything else, user names above all."""
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    host = _canonical_ipv6(match["ipv6"]) if match["ipv6"] else _canonical_name(match["name"].lower())
    if host is None or (port is not None and port > 65535):
        return None
    return Authority(host, port)


def _canonical_ipv6(text: str) -> str | None:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        return None


def _canonical_name(name: str) -> str | None:
    labels = name.removesuffix(".").split(".")
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            return None
    return ".".join(labels) if all(_LABEL.fullmatch(label) for label in labels) else None


class Hosts:
    """The middleware."""

    def __init__(self, app: ASGIApp, policy: EdgePolicy) -> None:
        self._app = app
        self._policy = policy
        self._names = frozenset(name.lower() for name in policy.hosts if not name.startswith("*."))
        self._suffixes = tuple(name[1:].lower() for name in policy.hosts if name.startswith("*."))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (error := self._objection(scope)) is not None:
            return await refuse(scope, send, error, self._policy.render_error)
        return await self._app(scope, receive, send)

    def _objection(self, scope: Scope) -> SpecloopError | None:
        values = header_values(scope, b"host")
        authority = parse_authority(values[0].decode("latin-1")) if len(values) == 1 else None
        if authority is None:
            return BadHost()
        if self._is_ours(authority.host, scope):
            return None
        return MisdirectedRequest()

    def _is_ours(self, host: str, scope: Scope) -> bool:
        if host in LOOPBACK_NAMES or host in self._names or is_loopback(host) or host.endswith(self._suffixes):
            return True
        server = scope.get("server")
        return server is not None and host == server[0]
