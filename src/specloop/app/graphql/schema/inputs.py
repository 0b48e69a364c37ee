"""What callers send beside plain values: filters, time ranges, orders (specstory.md §2.1 and §2.3)."""

from __future__ import annotations

from enum import Enum

import strawberry


@strawberry.input(description="A span of time; both ends are ISO 8601 days or moments and belong to it.")
class TimeRange:
    """`start` and `end` as the client wrote them."""

    start: str
    end: str


@strawberry.input(description="Like TimeRange, open at either end.")
class DateRange:
    """`start` and `end` as the client wrote them."""

    start: str | None = None
    end: str | None = None


@strawberry.input(
    description="All given filters must hold; of a list, any one value is enough; an empty one is no filter."
)
class SessionFilters:
    """The filters of the record stage's lists and searches."""

    project_id: str | None = None
    client_name: str | None = None
    agent_name: str | None = None
    device_id: str | None = None
    start_date: str | None = strawberry.field(default=None, description="The session ends on or after it")
    end_date: str | None = strawberry.field(default=None, description="The session starts on or before it")
    time_filter: str | None = strawberry.field(default=None, description="last7days, last30days, last90days …")
    search_text: str | None = strawberry.field(
        default=None, description="Words that one exchange must hold; without any it finds nothing"
    )
    project_ids: list[str] | None = None
    client_names: list[str] | None = None
    agent_names: list[str] | None = None
    device_ids: list[str] | None = None
    git_branches: list[str] | None = None
    llm_models: list[str] | None = None
    tags: list[str] | None = None
    date_range: DateRange | None = None
    created_after: int | None = strawberry.field(default=None, description="Uploaded first in the last so many days")
    has_git_branches: bool | None = None


@strawberry.enum(description="The order of sessions; wins over orderBy and orderDirection.")
class SessionOrder(Enum):
    """Orders by what and which way; the value is (column, is descending)."""

    CREATED_AT_DESC = ("created_at", True)
    CREATED_AT_ASC = ("created_at", False)
    UPDATED_AT_DESC = ("updated_at", True)
    UPDATED_AT_ASC = ("updated_at", False)
    STARTED_AT_DESC = ("started_at", True)
    STARTED_AT_ASC = ("started_at", False)
    ENDED_AT_DESC = ("ended_at", True)
    ENDED_AT_ASC = ("ended_at", False)
    NAME_ASC = ("name", False)
    NAME_DESC = ("name", True)
    MARKDOWN_SIZE_DESC = ("markdown_size", True)
    MARKDOWN_SIZE_ASC = ("markdown_size", False)
