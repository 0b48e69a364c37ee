"""What the edge allows: one frozen value that the assembly builds from settings. It holds no logic but look-ups."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.types import Scope

from specloop.errors import SpecloopError

RenderedError = tuple[int, list[tuple[bytes, bytes]], bytes]
RenderError = Callable[[Scope, SpecloopError], RenderedError]
"""Turns an error into status, headers and body in the dialect of the request's path."""

MIB = 1024 * 1024

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """How large a request body may be, in bytes, and how slowly it may come."""

    inflated_bytes_max: int = 2 * MIB
    wire_bytes_max: int | None = None
    """Before decompression; None means the same as after it."""
    grace_seconds: float = 10.0
    bytes_per_second_min: int = 16 * 1024
    """Beyond the grace time a body must have arrived at this rate on average."""

    @property
    def wire_max(self) -> int:
        """The limit before decompression."""
        return self.inflated_bytes_max if self.wire_bytes_max is None else self.wire_bytes_max


@dataclass(frozen=True, slots=True)
class EdgePolicy:
    """Everything that `wrap` needs."""

    render_error: RenderError
    hosts: frozenset[str] = frozenset()
    """Host names beside loopback and the address connected to; `*.example.com` stands for all names below."""
    origins: frozenset[str] = frozenset()
    """Origins beside our own and loopback, such as https://app.example.com."""
    strict_origin_prefixes: tuple[str, ...] = ("/mcp", "/v1/mcp")
    """Paths where a foreign Origin is refused whatever the method (MCP 2025-11-25, transports)."""
    content_security_policy: str = CONTENT_SECURITY_POLICY
    hsts_seconds: int = 63_072_000
    body: BodyLimit = field(default_factory=BodyLimit)
    body_by_prefix: Mapping[str, BodyLimit] = field(default_factory=dict[str, BodyLimit])
    """The longest prefix of the path wins; `body` is for the rest."""
    body_by_route: Mapping[tuple[str, re.Pattern[str]], BodyLimit] = field(
        default_factory=dict[tuple[str, re.Pattern[str]], BodyLimit]
    )
    """For a method on the paths that a pattern matches whole; before `body_by_prefix`."""
    buffered_bytes_max: int = 512 * MIB
    """All bodies being held at the same time; beyond it a request is told to come back."""
    json_depth_max: int = 100

    def body_limit(self, path: str, method: str = "") -> BodyLimit:
        """The limit for `method` on `path`."""
        for (its_method, pattern), limit in self.body_by_route.items():
            if method == its_method and pattern.fullmatch(path):
                return limit
        fitting = [prefix for prefix in self.body_by_prefix if path.startswith(prefix)]
        return self.body_by_prefix[max(fitting, key=len)] if fitting else self.body
