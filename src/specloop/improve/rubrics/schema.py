"""Rubrics on the wire (spectral.md §1.1 Rubric, §1.3 router 12)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from specloop.improve.rubrics.model import (
    Aggregation,
    DimensionSpec,
    JudgeKind,
    JudgeSpec,
    Rubric,
    RubricContent,
    RubricVersion,
    Scale,
)
from specloop.transport.schema import Input, JSONObject, JSONValue, LongText, Moment, Name, Output, ShortText

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]


class JudgeBody(Input):
    """Which judge scores the dimension."""

    kind: JudgeKind = "code"
    ref: Name
    args: JSONObject = Field(default_factory=dict[str, Any])


class DimensionBody(Input):
    """One quality with its weight and judge."""

    key: Key
    name: ShortText = ""
    description: LongText = ""
    weight: float = Field(default=1.0, gt=0, le=1e6, allow_inf_nan=False)
    scale: Scale = "binary"
    levels: int | None = Field(default=None, ge=2, le=10, description="k of an ordinal scale 1..k")
    guidance: LongText = ""
    anchors: list[JSONObject] = Field(default_factory=list[dict[str, Any]], max_length=20)
    judge: JudgeBody
    hard_min: float | None = Field(default=None, ge=0, le=1)

    def to_model(self) -> DimensionSpec:
        """The dimension inside."""
        values = self.model_dump(exclude={"judge", "anchors"})
        return DimensionSpec(**values, judge=JudgeSpec(**self.judge.model_dump()), anchors=tuple(self.anchors))


class RubricCreate(Input):
    """A new rubric. It is active at once unless `status` is `draft`."""

    name: Name
    description: LongText = ""
    dimensions: list[DimensionBody] = Field(min_length=1, max_length=30)
    aggregation: Aggregation = "weighted_mean"
    status: Literal["draft", "active"] = "active"

    def content(self) -> RubricContent:
        """What version 1 says."""
        return RubricContent(tuple(one.to_model() for one in self.dimensions), self.aggregation)


class RubricUpdate(Input):
    """New values; `dimensions` and `aggregation` go into a draft."""

    name: Name | None = None
    description: LongText | None = None
    dimensions: list[DimensionBody] | None = Field(default=None, min_length=1, max_length=30)
    aggregation: Aggregation | None = None

    def content(self, current: RubricContent) -> RubricContent | None:
        """The new content, or None when it stays."""
        if self.dimensions is None and self.aggregation is None:
            return None
        dimensions = (
            tuple(one.to_model() for one in self.dimensions) if self.dimensions is not None else current.dimensions
        )
        return RubricContent(dimensions, self.aggregation or current.aggregation)


class PreviewBody(Input):
    """One output to judge, with the input and the reference it belongs to."""

    output: JSONValue
    reference: JSONValue = None
    input: JSONValue = None
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)


class DimensionScore(Output):
    """One judge's finding; `score` is null unless `outcome` is `scored`."""

    key: str
    outcome: str
    score: float | None
    rationale: str


class PreviewOut(Output):
    """All findings and the composite."""

    rubric_id: str
    version: int
    score: float | None
    dimensions: list[DimensionScore]


class RubricVersionOut(Output):
    """One version."""

    rubric_id: str
    version: int
    status: str
    dimensions: list[dict[str, Any]]
    aggregation: str
    content_hash: str
    created_at: Moment
    activated_at: Moment | None
    created_by: str

    @classmethod
    def of(cls, version: RubricVersion) -> RubricVersionOut:
        """The wire form."""
        return cls(
            rubric_id=version.rubric_id,
            version=version.version,
            status=version.status,
            dimensions=version.content.as_json(),
            aggregation=version.content.aggregation,
            content_hash=version.content.content_hash,
            created_at=version.created_at,
            activated_at=version.activated_at,
            created_by=version.created_by,
        )


class RubricOut(Output):
    """A rubric with its newest version, or the one asked for. An archived rubric has the status `archived`."""

    id: str
    name: str
    description: str
    version: int
    status: str
    active_version: int | None
    latest_version: int
    aggregation: str
    content_hash: str
    created_at: Moment
    updated_at: Moment
    created_by: str
    dimensions: list[dict[str, Any]]

    @classmethod
    def of(cls, rubric: Rubric) -> RubricOut:
        """The wire form."""
        shown = rubric.shown
        return cls(
            id=rubric.id,
            name=rubric.name,
            description=rubric.description,
            version=shown.version,
            status="archived" if rubric.is_archived else shown.status,
            active_version=rubric.active_version,
            latest_version=rubric.latest_version,
            aggregation=shown.content.aggregation,
            content_hash=shown.content.content_hash,
            created_at=rubric.created_at,
            updated_at=rubric.updated_at,
            created_by=rubric.created_by,
            dimensions=shown.content.as_json(),
        )
