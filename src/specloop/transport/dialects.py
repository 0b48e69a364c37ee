"""Which error dialect a path speaks. The renderers are in `specloop.app.errors`.

SpecStory's dialect owns whole path segments below /api/v1; of the other prefixes the first match wins, and a path that
matches none is a page.
"""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """The wire forms of an error (ARCHITECTURE: one error, many dialects)."""

    PROBLEM = "problem"
    OTLP = "otlp"
    RECORD = "record"
    PAGE = "page"


_PREFIXES: tuple[tuple[str, Dialect], ...] = (
    ("/otel/v1/traces/stats", Dialect.PROBLEM),
    ("/otel/", Dialect.OTLP),
    ("/v1/traces", Dialect.OTLP),
    ("/api/public/otel/", Dialect.OTLP),
    ("/api", Dialect.PROBLEM),
    ("/v1", Dialect.PROBLEM),
    ("/health", Dialect.PROBLEM),
    ("/metrics", Dialect.PROBLEM),
    ("/openapi.json", Dialect.PROBLEM),
    ("/.well-known/", Dialect.PROBLEM),
)


RECORD_BASE = "/api/v1/"
RECORD_SEGMENTS = (
    "billing",
    "device-login",
    "device-logout",
    "device-refresh",
    "graphql",
    "lore",
    "openapi",
    "projects",
    "search",
    "sessions",
    "share",
    "user",
)
"""The first path segments below /api/v1 that belong to SpecStory's contract; the rest is Spectral's."""


def dialect_of(path: str) -> Dialect:
    """The dialect of `path`."""
    if path.startswith(RECORD_BASE) and path.removeprefix(RECORD_BASE).partition("/")[0] in RECORD_SEGMENTS:
        return Dialect.RECORD
    return next((dialect for prefix, dialect in _PREFIXES if path.startswith(prefix)), Dialect.PAGE)
