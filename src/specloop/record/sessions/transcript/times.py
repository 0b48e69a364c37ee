"""Moments as transcripts write them: RFC 3339, SpecStory's headers, seconds or milliseconds of an epoch."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

_MILLISECONDS_FROM = 100_000_000_000
"""An epoch number above this counts milliseconds: as seconds it would lie beyond the year 5000."""
_YEARS = range(1971, 9999)
"""Outside lie the zero times of Go and Unix, which mean that no time is known, and what no other zone can show."""


def read_time(value: object) -> datetime | None:
    """The aware UTC moment that a value names, None when it names none; a text without an offset is UTC."""
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_text(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in _YEARS else None


def _from_number(value: float) -> datetime | None:
    seconds = value / 1000 if abs(value) >= _MILLISECONDS_FROM else value
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None
    except (ValueError, OverflowError, OSError):
        return None


def write_time(moment: datetime, zone: tzinfo | None) -> str:
    """A moment as markdown v2.1.0 shows it: `2026-08-07 13:21:06Z`, or `… 09:21:06-0400` in a zone (§7.2)."""
    if zone is None:
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S%z}"
