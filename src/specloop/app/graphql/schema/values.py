"""How single values read in the graph: moments as text, sizes within GraphQL's 32 bits."""

from __future__ import annotations

from datetime import datetime

from specloop.kit.clock import format_time

INT_MAX = 2**31 - 1


def moment(value: datetime) -> str:
    """RFC 3339 with `Z`."""
    return format_time(value)


def moment_or_none(value: datetime | None) -> str | None:
    """The same for a moment that may be unknown."""
    return None if value is None else format_time(value)


def amount(value: int) -> int:
    """A count or size; `Int` ends at 2^31-1 (GraphQL §3.5.1), and an error would take the whole answer along."""
    return min(value, INT_MAX)
