"""The period that an address asks for: the last days, or from one date to another (both inclusive, UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

LENGTHS: Final = (7, 30, 90)
DAYS_DEFAULT: Final = 30
DAYS_MAX: Final = 366


@dataclass(frozen=True)
class Period:
    """Whole UTC days. `last_days` is None for a period between two dates."""

    first: date
    last: date
    last_days: int | None

    @property
    def start(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    @property
    def days(self) -> list[str]:
        """Every day as an ISO date."""
        return [(self.first + timedelta(days=n)).isoformat() for n in range((self.last - self.first).days + 1)]

    @property
    def query(self) -> dict[str, str]:
        """The period as the address carries it."""
        if self.last_days is None:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {} if self.last_days == DAYS_DEFAULT else {"days": str(self.last_days)}

    @property
    def words(self) -> str:
        """The period for people."""
        if self.last_days is not None:
            return f"the last {self.last_days} days"
        return f"{self.first.isoformat()} to {self.last.isoformat()}"


def read_period(given: Mapping[str, str], today: date) -> Period:
    """`from` and `to`, else `days`, else the default; what makes no sense counts as not given."""
    first, last = _date(given.get("from", "")), _date(given.get("to", ""))
    if first is not None or last is not None:
        last = min(last or today, today)
        first = min(first or last - timedelta(days=DAYS_DEFAULT - 1), last)
        return Period(max(first, last - timedelta(days=DAYS_MAX - 1)), last, None)
    text = given.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 4 and int(text) in LENGTHS else DAYS_DEFAULT
    return Period(today - timedelta(days=days - 1), today, days)


def _date(text: str) -> date | None:
    try:
        value = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return value if 1971 < value.year < 2261 else None
