"""Which representation of a session a caller wants: Accept with q-values (RFC 9110 §12.5.1, specstory.md §4)."""

from __future__ import annotations

from enum import StrEnum


class Representation(StrEnum):
    """The representations, best first where a caller has no preference."""

    JSON = "application/json"
    MARKDOWN = "text/markdown"
    SESSION_DATA = "application/vnd.specstory.session-data+json"
    RAW = "application/vnd.specstory.raw-data"


def negotiate(accept: str | None) -> Representation:
    """The representation that `accept` likes best; JSON where it names nothing that is known, never a refusal."""
    ranges = [_parse(one) for one in (accept or "*/*").split(",")]
    ranked = [(_quality(ranges, one), one) for one in Representation]
    best, chosen = max(ranked, key=lambda pair: pair[0])
    return chosen if best > 0 else Representation.JSON


def _parse(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media, _number(value.strip())
    return media, 1.0


def _number(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0 <= quality <= 1 else 0.0


def _quality(ranges: list[tuple[str, float]], wanted: Representation) -> float:
    """The quality of the most specific range that covers the representation."""
    kind = wanted.value.partition("/")[0]
    for name in (wanted.value, f"{kind}/*", "*/*"):
        found = [quality for media, quality in ranges if media == name]
        if found:
            return max(found)
    return 0.0
