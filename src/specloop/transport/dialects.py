"""Which error dialect a path speaks. The renderers are in `specloop.app.errors`.

The first matching prefix wins; a path that matches none is a page.
"""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """The wire forms of an error (ARCHITECTURE: one error, many dialects)."""

    PROBLEM = "problem"
    OTLP = "otlp"
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


def dialect_of(path: str) -> Dialect:
    """The dialect of `path`."""
    return next((dialect for prefix, dialect in _PREFIXES if path.startswith(prefix)), Dialect.PAGE)
