"""Token counts as prices need them. Nothing here knows a price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class TokenCounts(Protocol):
    """Tokens of one call, or of several calls in one price tier.

    `cache_read` and `cache_write` are included in `input`, `reasoning` is included in `output` (OpenTelemetry's
    meaning, spectral.md §6.2). A source that reports them apart must add them up first.
    """

    @property
    def input(self) -> int:
        """All tokens that went in."""
        ...

    @property
    def output(self) -> int:
        """All tokens that came out."""
        ...

    @property
    def cache_read(self) -> int:
        """How many of `input` came from a cache."""
        ...

    @property
    def cache_write(self) -> int:
        """How many of `input` were put into a cache."""
        ...


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """The plain form of `TokenCounts`."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0
