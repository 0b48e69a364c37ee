"""The header names of a rate-limit decision: the contracts disagree (ARCHITECTURE §4a)."""

from __future__ import annotations

from enum import Enum
from typing import assert_never

from specloop.transport.limits.limiter import Decision


class HeaderStyle(Enum):
    """Which names, and what "reset" means."""

    STANDARD = "standard"
    """`RateLimit-*`, reset in seconds from now (specify and improve)."""
    PREFIXED = "prefixed"
    """`X-RateLimit-*`, reset as UTC epoch seconds (record, specstory.md §5)."""


def limit_headers(decision: Decision, style: HeaderStyle, epoch_seconds: float) -> dict[str, str]:
    """The headers of an answer to a counted request; `epoch_seconds` is the time now."""
    headers = _counters(decision, style, epoch_seconds)
    if not decision.is_allowed:
        headers["Retry-After"] = str(decision.reset_seconds)
    return headers


def _counters(decision: Decision, style: HeaderStyle, epoch_seconds: float) -> dict[str, str]:
    match style:
        case HeaderStyle.STANDARD:
            prefix, reset = "RateLimit", decision.reset_seconds
        case HeaderStyle.PREFIXED:
            prefix, reset = "X-RateLimit", int(epoch_seconds) + decision.reset_seconds
        case _:
            assert_never(style)
    return {
        f"{prefix}-Limit": str(decision.limit),
        f"{prefix}-Remaining": str(decision.remaining),
        f"{prefix}-Reset": str(reset),
    }
