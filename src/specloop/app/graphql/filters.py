"""From the filters that clients write to those of the record stage (specstory.md §2.1 to §2.3). No rule of its own."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from specloop.app.graphql.schema.inputs import SessionFilters as Given
from specloop.app.graphql.schema.inputs import TimeRange
from specloop.errors import ValidationFailed
from specloop.kit.clock import Clock
from specloop.record.sessions import SessionFilters

VALUES_MAX: Final = 500
DAYS_MAX: Final = 36_600
_AGO: Final = re.compile(r"last(\d{1,5})(hour|day|week|month|year)s?", re.IGNORECASE)
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})")
_UNIT_DAYS: Final = {"hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


def filters_of(given: Given | None, clock: Clock) -> SessionFilters:
    """The record stage's filters; `searchText` is not among them.

    Raises: ValidationFailed.
    """
    if given is None:
        return SessionFilters()
    between = given.date_range
    since = [
        moment_of(given.start_date, "startDate"),
        moment_of(between.start if between else None, "dateRange.start"),
        _named_start(given.time_filter, clock),
    ]
    until = [
        moment_of(given.end_date, "endDate", is_end=True),
        moment_of(between.end if between else None, "dateRange.end", is_end=True),
    ]
    return SessionFilters(
        project_ids=_merged("projectIds", given.project_id, given.project_ids),
        agents=_merged("agentNames", given.agent_name, given.agent_names),
        client_names=_merged("clientNames", given.client_name, given.client_names),
        device_ids=_merged("deviceIds", given.device_id, given.device_ids),
        models=_merged("llmModels", None, given.llm_models),
        branches=_merged("gitBranches", None, given.git_branches),
        tags=_merged("tags", None, given.tags),
        since=max((one for one in since if one is not None), default=None),
        until=min((one for one in until if one is not None), default=None),
        created_since=_days_ago(given.created_after, clock),
        has_branches=given.has_git_branches,
    )


def is_contradictory(given: Given | None) -> bool:
    """Whether a filter can hold for nothing: one value outside its list. An empty value or list is no filter."""
    if given is None:
        return False
    pairs = (
        (given.project_id, given.project_ids),
        (given.agent_name, given.agent_names),
        (given.client_name, given.client_names),
        (given.device_id, given.device_ids),
    )
    return any(one and many and one not in many for one, many in pairs)


def range_of(given: TimeRange) -> tuple[datetime, datetime]:
    """The moments that a time range names, both included.

    Raises: ValidationFailed.
    """
    start, end = moment_of(given.start, "timeRange.start"), moment_of(given.end, "timeRange.end", is_end=True)
    if start is None or end is None or end < start:
        raise ValidationFailed.of(["timeRange"], "needs a start and an end that is not before it")
    return start, end


def moment_of(text: str | None, name: str, *, is_end: bool = False) -> datetime | None:
    """A moment, day or month in ISO 8601, None for a blank one.

    Without an offset it is UTC; a day or month begins a range with its first moment and ends it with its last.

    Raises: ValidationFailed.
    """
    plain = (text or "").strip()
    if not plain:
        return None
    try:
        if days := _days_of(plain):
            return datetime.combine(days[-1], time.max, UTC) if is_end else datetime.combine(days[0], time.min, UTC)
        moment = datetime.fromisoformat(plain)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValidationFailed.of([name], "is neither a month, a day nor a moment in ISO 8601") from error


def _days_of(text: str) -> tuple[date, date] | None:
    """The first and the last day that a text without a time names (2026-01-02, 20260102, 2026-W01-5 or 2026-01)."""
    if month := _MONTH.fullmatch(text):
        first = date(int(month[1]), int(month[2]), 1)
        return first, first.replace(day=monthrange(first.year, first.month)[1])
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day, day


def _merged(name: str, one: str | None, many: Sequence[str] | None) -> Sequence[str]:
    """`one` and `many` together: each filter must hold, so one value within its list leaves just that."""
    if many is not None and len(many) > VALUES_MAX:
        raise ValidationFailed.of([name], f"takes at most {VALUES_MAX} values")
    return tuple(storable(value) for value in ((one,) if one else many or ()))


def storable(text: str) -> str:
    """`text` as the store could hold it: one engine knows no NUL, so with it nothing can be equal."""
    return text.replace("\x00", "\ufffd")


def _named_start(name: str | None, clock: Clock) -> datetime | None:
    """`last30days` and its like; an unknown name is ignored, as by the real server (specstory.md §12, O1)."""
    found = _AGO.fullmatch((name or "").replace("_", "").replace(" ", ""))
    if found is None:
        return None
    return clock.now() - timedelta(days=min(int(found[1]) * _UNIT_DAYS[found[2].lower()], DAYS_MAX))


def _days_ago(days: int | None, clock: Clock) -> datetime | None:
    if days is None:
        return None
    if not 0 <= days <= DAYS_MAX:
        raise ValidationFailed.of(["createdAfter"], f"must be between 0 and {DAYS_MAX} days")
    return clock.now() - timedelta(days=days)
