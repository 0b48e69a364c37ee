"""Feedback, annotations, submissions and exports on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field, StringConstraints, model_validator

from specloop.kit.clock import format_time
from specloop.record.traces.exports import Export, ExportFormat, ExportState
from specloop.record.traces.opinions import (
    TEXT_LENGTH_MAX,
    Annotation,
    Annotator,
    Feedback,
    FeedbackKind,
    Judgement,
    Opinion,
)
from specloop.transport.schema import Input, JSONObject, JSONValue

SpanRef = Annotated[str | None, StringConstraints(pattern=r"^[0-9a-fA-F]{16}$")]
Label = Annotated[str, StringConstraints(max_length=100)]
UserRef = Annotated[str, StringConstraints(max_length=200)]
DEPTH_MAX = 64
"""Levels of nesting in what is said about a trace; what writes JSON stops at 254, and answers wrap it in some more."""


def _depth(value: object) -> int:
    """How many levels of lists and objects; counted level by level, since a caller decides how many there are."""
    depth, level = -1, [value]
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [item for one in level for item in _items(one)]
    return depth


def _items(value: object) -> Iterable[object]:
    match value:
        case dict():
            return cast("dict[object, object]", value).values()
        case list():
            return cast("list[object]", value)
        case _:
            return ()


class ShallowInput(Input):
    """A request body with arbitrary JSON inside."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_depth(cls, value: Any) -> Any:
        if _depth(value) > DEPTH_MAX:
            raise ValueError(f"values may be nested at most {DEPTH_MAX} levels deep")
        return value


class FeedbackBody(ShallowInput):
    """One opinion: `thumbs` up or down, `score` 0 to 1, `label`, `correction` (any JSON), `comment`."""

    kind: FeedbackKind
    value: JSONValue
    name: Label = ""
    span_id: SpanRef = None
    user_ref: UserRef = ""

    def to_model(self) -> Opinion:
        """The opinion."""
        return Opinion(self.kind, self.value, self.name, (self.span_id or "").lower(), self.user_ref)


class FeedbackOut(BaseModel):
    """A stored opinion; `score` is its value in [0, 1] where it is a number."""

    id: str
    trace_id: str
    span_id: str | None
    kind: FeedbackKind
    name: str
    user_ref: str | None
    value: Any
    score: float | None
    created_at: str
    updated_at: str
    created_by: str


class AnnotationBody(ShallowInput):
    """A judgement: at least one of score, label, explanation."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    annotator: Annotator = Annotator.HUMAN
    score: Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)] = None
    label: Annotated[str | None, StringConstraints(max_length=200)] = None
    explanation: Annotated[str | None, StringConstraints(max_length=TEXT_LENGTH_MAX)] = None
    span_id: SpanRef = None
    metadata: JSONObject = Field(default_factory=dict)

    def to_model(self) -> Judgement:
        """The judgement."""
        span_id = (self.span_id or "").lower()
        return Judgement(self.name, self.annotator, self.score, self.label, self.explanation, span_id, self.metadata)


class AnnotationOut(BaseModel):
    """A judgement; `id` is null when a span reports it."""

    id: str | None
    trace_id: str
    span_id: str | None
    name: str
    annotator: Annotator
    score: float | None
    label: str | None
    explanation: str | None
    metadata: dict[str, Any]
    created_at: str
    created_by: str | None


class SubmitBody(Input):
    """Traces in plain JSON; each is checked by itself."""

    traces: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=500)]


class RejectedBody(BaseModel):
    """Why a trace was refused."""

    index: int
    reason: str


class SubmittedOut(BaseModel):
    """How many traces were taken, their ids in order, and the refused ones."""

    accepted: int
    trace_ids: list[str]
    rejected: list[RejectedBody]


class ExportOut(BaseModel):
    """An export; the file is at `url` once it is completed."""

    id: str
    format: ExportFormat
    state: ExportState
    traces: int
    spans: int
    size: int
    problem: str | None
    url: str | None
    created_at: str
    finished_at: str | None


def render_feedback(feedback: Feedback) -> dict[str, Any]:
    """`FeedbackOut`."""
    opinion = feedback.opinion
    return {
        "id": feedback.id,
        "trace_id": feedback.trace_id,
        "span_id": opinion.span_id or None,
        "kind": opinion.kind.value,
        "name": opinion.name,
        "user_ref": opinion.user_ref or None,
        "value": opinion.value,
        "score": feedback.score,
        "created_at": format_time(feedback.created_at),
        "updated_at": format_time(feedback.updated_at),
        "created_by": feedback.created_by,
    }


def render_annotation(annotation: Annotation) -> dict[str, Any]:
    """`AnnotationOut`."""
    judgement = annotation.judgement
    return {
        "id": annotation.id or None,
        "trace_id": annotation.trace_id,
        "span_id": judgement.span_id or None,
        "name": judgement.name,
        "annotator": judgement.annotator.value,
        "score": judgement.score,
        "label": judgement.label,
        "explanation": judgement.explanation,
        "metadata": dict(judgement.details),
        "created_at": format_time(annotation.created_at),
        "created_by": annotation.created_by or None,
    }


def render_export(export: Export, base: str) -> dict[str, Any]:
    """`ExportOut`; `base` is the path of the workspace's exports."""
    return {
        "id": export.id,
        "format": export.form.value,
        "state": export.state.value,
        "traces": export.traces,
        "spans": export.spans,
        "size": export.size,
        "problem": export.problem,
        "url": f"{base}/{export.id}/file" if export.digest else None,
        "created_at": format_time(export.created_at),
        "finished_at": None if export.finished_at is None else format_time(export.finished_at),
    }
