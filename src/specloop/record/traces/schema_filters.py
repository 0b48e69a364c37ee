"""The structured filter of `POST …/traces/search` and `/export` on the wire."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from specloop.db.paging import LIMIT_DEFAULT, LIMIT_MAX, PageRequest
from specloop.record.traces.exports import ExportFormat
from specloop.record.traces.model import AttributeCondition, Comparison, TraceFilter, TraceStatus
from specloop.transport.schema import Input, Instant

Word = Annotated[str | None, StringConstraints(min_length=1, max_length=200)]
Milliseconds = Annotated[float | None, Field(ge=0, le=1e9)]


class ConditionBody(Input):
    """Some span has the attribute `key`, and its value fits; `exists` needs no value, `gt` and `lt` compare numbers."""

    key: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    op: Comparison = Comparison.EQUAL
    value: Annotated[str, StringConstraints(max_length=1_000)] | StrictBool | StrictInt | StrictFloat = ""

    def to_model(self) -> AttributeCondition:
        """The condition; values in the text form in which attributes are stored."""
        text = str(self.value).lower() if isinstance(self.value, bool) else str(self.value)
        return AttributeCondition(self.key, self.op, text)


class FilterBody(Input):
    """All conditions that are given must hold. `from` is inclusive, `to` exclusive; latencies in milliseconds."""

    start: Instant | None = Field(default=None, alias="from")
    end: Instant | None = Field(default=None, alias="to")
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
    score_below: float | None = None
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
