"""Cron expressions: the slots they name, in zones with and without daylight saving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specloop.jobs.cron import parse_cron


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("* * * * *", "UTC", "2026-01-01T00:00:30", "2026-01-01T00:01"),
        ("*/15 * * * *", "UTC", "2026-01-01T00:45", "2026-01-01T01:00"),
        ("5/20 * * * *", "UTC", "2026-01-01T00:06", "2026-01-01T00:25"),
        ("0 3 * * mon-fri", "UTC", "2026-01-02T03:00", "2026-01-05T03:00"),
        ("0 0 1,15 * 3", "UTC", "2026-01-01T00:00", "2026-01-07T00:00"),
        ("0 0 13 * 5", "UTC", "2026-01-01T00:00", "2026-01-02T00:00"),
        ("0 0 29 feb *", "UTC", "2026-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 */7", "UTC", "2026-01-01T00:00", "2032-02-29T00:00"),
        ("0 0 * * 7", "UTC", "2026-01-01T00:00", "2026-01-04T00:00"),
        ("@daily", "Asia/Tokyo", "2026-01-01T00:00", "2026-01-01T15:00"),
        # Berlin skips 02:30 on 29 March 2026 and has 02:30 twice on 25 October 2026: it fires at the first.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00", "2026-03-30T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", "2026-10-25T00:30"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30", "2026-10-26T01:30"),
    ],
)
def test_the_next_slot_is_the_first_one_after_the_moment(cron: str, zone: str, after: str, expected: str) -> None:
    assert parse_cron(cron, zone).next_after(_at(after)) == _at(expected)


@pytest.mark.parametrize(
    ("cron", "zone"),
    [
        ("", "UTC"),
        ("* * * *", "UTC"),
        ("60 * * * *", "UTC"),
        ("* * 0 * *", "UTC"),
        ("*/0 * * * *", "UTC"),
        ("5-1 * * * *", "UTC"),
        ("a * * * *", "UTC"),
        ("* * * jan-foo *", "UTC"),
        ("-1 * * * *", "UTC"),
        ("² * * * *", "UTC"),
        ("* * * * *", "Mars/Olympus"),
        ("* * * * *", "../../etc/passwd"),
    ],
)
def test_a_wrong_expression_is_refused_with_a_reason(cron: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        parse_cron(cron, zone)


def test_an_expression_that_never_matches_says_so() -> None:
    with pytest.raises(ValueError, match="never"):
        parse_cron("0 0 30 2 *").next_after(_at("2026-01-01T00:00"))


MINUTES = st.sampled_from(["*", "0", "*/7", "3,50", "10-20/5"])
HOURS = st.sampled_from(["*", "0", "2", "*/5", "1-3"])
DAYS = st.sampled_from(["*", "1", "31", "*/10"])
WEEKDAYS = st.sampled_from(["*", "0", "mon", "1-5"])
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"])
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MINUTES, HOURS, DAYS, WEEKDAYS, ZONES, MOMENTS)
def test_slots_are_after_the_moment_on_whole_minutes_and_nothing_lies_between(
    minutes: str, hours: str, days: str, weekdays: str, zone: str, moment: datetime
) -> None:
    cron = parse_cron(f"{minutes} {hours} {days} * {weekdays}", zone)
    slot = cron.next_after(moment)
    local = slot.astimezone(ZoneInfo(zone))
    assert slot > moment
    assert (local.second, local.microsecond) == (0, 0)
    assert local.minute in cron.minutes
    assert local.hour in cron.hours
    assert cron.next_after(slot - timedelta(microseconds=1)) == slot
    assert cron.next_after(moment + (slot - moment) / 2) == slot
