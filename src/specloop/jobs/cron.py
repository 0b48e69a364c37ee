"""Cron expressions of five fields (minute hour day month weekday) in a time zone; pure.

As in Vixie cron: lists, ranges, steps and names; day and weekday are joined by "or" when both are restricted. A local
time that daylight saving skips does not fire; one that happens twice fires once, the first time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS = {
    "jan": 1,
    "feb": 2,
    "mar": 3,
    "apr": 4,
    "may": 5,
    "jun": 6,
    "jul": 7,
    "aug": 8,
    "sep": 9,
    "oct": 10,
    "nov": 11,
    "dec": 12,
}
_DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
# 29 February on a given weekday comes back within 28 years, or 40 around a skipped leap year.
_HORIZON_DAYS = 366 * 41


@dataclass(frozen=True, slots=True)
class Cron:
    """A parsed expression: the allowed values of each field, and its zone."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_day_restricted: bool
    is_weekday_restricted: bool
    zone: ZoneInfo

    def next_after(self, moment: datetime) -> datetime:
        """The first slot strictly after `moment`, in UTC.

        Raises: ValueError when there is none (30 February).
        """
        local = moment.astimezone(self.zone)
        for offset in range(_HORIZON_DAYS):
            day = local.date() + timedelta(days=offset)
            if self._is_on(day):
                slot = self._first_slot(day, moment)
                if slot is not None:
                    return slot
        raise ValueError("the expression never matches a date")

    def _is_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        in_days, in_weekdays = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.is_day_restricted and self.is_weekday_restricted:
            return in_days or in_weekdays
        return in_days and in_weekdays

    def _first_slot(self, day: date, after: datetime) -> datetime | None:
        for hour in self.hours:
            for minute in self.minutes:
                slot = _to_utc(day, hour, minute, self.zone)
                if slot is not None and slot > after:
                    return slot
        return None


def parse_cron(text: str, zone: str = "UTC") -> Cron:
    """The expression in the zone named by IANA.

    Raises: ValueError with what is wrong.
    """
    fields = _ALIASES.get(text.strip(), text).lower().split()
    if len(fields) != 5:
        raise ValueError(f"a cron expression has 5 fields, this one has {len(fields)}")
    minutes = _values(fields[0], "minute", 0, 59, {})
    hours = _values(fields[1], "hour", 0, 23, {})
    days = _values(fields[2], "day", 1, 31, {})
    months = _values(fields[3], "month", 1, 12, _MONTHS)
    weekdays = _values(fields[4], "weekday", 0, 7, _DAYS)
    return Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        days,
        months,
        frozenset(value % 7 for value in weekdays),
        not fields[2].startswith("*"),
        not fields[4].startswith("*"),
        _zone(zone),
    )


def _to_utc(day: date, hour: int, minute: int, zone: ZoneInfo) -> datetime | None:
    local = datetime.combine(day, time(hour, minute), zone)
    moment = local.astimezone(UTC)
    is_real = moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None)
    return moment if is_real else None


def _values(text: str, what: str, low: int, high: int, names: dict[str, int]) -> frozenset[int]:
    return frozenset(value for part in text.split(",") for value in _part(part, what, low, high, names))


def _part(text: str, what: str, low: int, high: int, names: dict[str, int]) -> range:
    span, slash, step_text = text.partition("/")
    step = _number(step_text, what, 1, high, {}) if slash else 1
    if span == "*":
        return range(low, high + 1, step)
    first_text, dash, last_text = span.partition("-")
    first = _number(first_text, what, low, high, names)
    last = _number(last_text, what, low, high, names) if dash else (high if slash else first)
    if last < first:
        raise ValueError(f"{what}: {span} runs backwards")
    return range(first, last + 1, step)


def _number(text: str, what: str, low: int, high: int, names: dict[str, int]) -> int:
    if text in names:
        return names[text]
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise ValueError(f"{what}: '{text}' is not between {low} and {high}")
    return int(text)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"'{name}' is not a time zone") from error
