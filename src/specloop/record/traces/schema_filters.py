"""The structured filter of `POST …/traces/search` and `/export` on the wire."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from specloop.db.paging import LIMIT_DEFAULT, LIMIT_MAX, PageRequest
from specloop.record.traces.exports import ExportFormat
from specloop.record.traces.model import AttributeCondition, Comparison, TraceFilter, TraceStatus
from specloop.transport.schema import Input, Instant

Word = Annotated[str | None, StringConstraints(min_length=1, max_length=200)]
YEARS: tuple[int, int] = (1970, 2262)
"""Between their first days lies what nanoseconds of 63 bits can tell."""


def _in_reach(value: datetime) -> datetime:
    """In UTC, which moments at either end of the calendar have none of."""
    try:
        moment = value.astimezone(UTC)
    except OverflowError:
        moment = None
    if moment is None or not YEARS[0] <= moment.year < YEARS[1]:
        raise ValueError(f"the moment must lie in the years {YEARS[0]} to {YEARS[1] - 1}")
    return moment


SpanInstant = Annotated[Instant, AfterValidator(_in_reach)]
"""A moment that a span may begin at."""
Score = Annotated[float | None, Field(allow_inf_nan=False)]
Milliseconds = Annotated[float | None, Field(ge=0, le=1e9)]


class ConditionBody(Input):
    """Some span has the attribute `key`, and its value fits; `exists` needs no value, `gt` and `lt` compare numbers.

    Numbers are equal however they are written; all else is equal when its text is.
    """

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    op: Comparison = Comparison.EQUAL
    value: Annotated[str, StringConstraints(max_length=1_000)] | StrictBool | StrictInt | StrictFloat = ""

    def to_model(self) -> AttributeCondition:
        """The condition; values in the text form in which attributes are stored."""
        return AttributeCondition(self.key, self.op, _text_of(self.value))


def _text_of(value: str | float) -> str:
    match value:
        case bool():
            return str(value).lower()
        case float() if value.is_integer():
            return f"{value:.0f}"
        case _:
            return str(value)


class FilterBody(Input):
    """All conditions that are given must hold. `from` is inclusive, `to` exclusive; latencies in milliseconds."""

    start: SpanInstant | None = Field(default=None, alias="from")
    end: SpanInstant | None = Field(default=None, alias="to")
    status: TraceStatus | None = None
    agent_id: Word = None
    agent: Word = None
    session_id: Word = None
    user_id: Word = None
    tag: Word = None
    model: Word = None
    service: Word = None
    min_latency: Milliseconds = None
    max_latency: Milliseconds = None
    has_feedback: bool | None = None
    score_below: Score = None
    q: Annotated[str | None, StringConstraints(max_length=400)] = None
    attributes: Annotated[list[ConditionBody], Field(max_length=10)] = Field(default_factory=list[ConditionBody])

    def to_model(self) -> TraceFilter:
        """The filter."""
        return TraceFilter(
            agent_id=self.agent_id,
            agent_name=self.agent,
            status=self.status,
            start=self.start,
            end=self.end,
            tag=self.tag,
            session_id=self.session_id,
            user_id=self.user_id,
            model=self.model,
            service=self.service,
            latency_ms_min=self.min_latency,
            latency_ms_max=self.max_latency,
            has_feedback=self.has_feedback,
            score_below=self.score_below,
            text=self.q or None,
            attributes=tuple(condition.to_model() for condition in self.attributes),
        )


class SearchBody(Input):
    """A filter and which page; `next_cursor` of an answer is the `cursor` of the next request."""

    filter: FilterBody = Field(default_factory=FilterBody)
    limit: Annotated[int, Field(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT
    cursor: Annotated[str | None, StringConstraints(max_length=400)] = None
    count: bool = True

    def to_page(self) -> PageRequest:
        """The page."""
        return PageRequest(limit=self.limit, cursor=self.cursor, is_counted=self.count)


class ExportRequestBody(Input):
    """Which traces to write to a file of which format."""

    filter: FilterBody = Field(default_factory=FilterBody)
    format: ExportFormat = ExportFormat.OTLP_JSON
