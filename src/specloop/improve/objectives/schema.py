"""Objectives on the wire (spectral.md §1.1 Objective, §1.3 router 13)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from specloop.improve.objectives.composite import Comparison, Missing
from specloop.improve.objectives.model import (
    AuthoritySpec,
    ConstraintSpec,
    ObjectiveContent,
    ObjectiveEntry,
    ObjectiveVersion,
    TermSpec,
)
from specloop.transport.schema import Input, LongText, Moment, Name, Output

ID = Annotated[str, StringConstraints(min_length=36, max_length=36)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class TermBody(Input):
    """A share of the objective. Without `rubric_version` the active one is pinned."""

    rubric_id: ID
    rubric_version: int | None = Field(default=None, ge=1, le=2**31 - 1)
    dimension: Name | None = None
    weight: Weight = 1.0


class AuthorityBody(Input):
    """Weights of reference-based and rubric-based findings, and the floor of each."""

    reference: Weight = 0.0
    rubric: Weight = 0.0
    floor: Fraction = 0.0


class ConstraintBody(Input):
    """A guardrail: `metric op value`, with `margin` on the lenient side."""

    metric: Name
    op: Comparison
    value: float = Field(allow_inf_nan=False)
    margin: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class ObjectiveContentBody(Input):
    """What an objective version says."""

    direction: Literal["maximize"] = "maximize"
    terms: list[TermBody] = Field(min_length=1, max_length=30)
    authorities: AuthorityBody = Field(default_factory=AuthorityBody)
    constraints: list[ConstraintBody] = Field(default_factory=list[ConstraintBody], max_length=30)
    min_effect: Fraction = 0.02
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    missing: Missing = "fail"

    def content(self) -> ObjectiveContent:
        """The content inside."""
        return ObjectiveContent(
            terms=tuple(TermSpec(**term.model_dump()) for term in self.terms),
            authorities=AuthoritySpec(**self.authorities.model_dump()),
            constraints=tuple(ConstraintSpec(**one.model_dump()) for one in self.constraints),
            min_effect=self.min_effect,
            alpha=self.alpha,
            missing=self.missing,
            direction=self.direction,
        )


class ObjectiveCreate(ObjectiveContentBody):
    """A new objective. It is active at once unless `status` is `draft`."""

    name: Name
    description: LongText = ""
    status: Literal["draft", "active"] = "active"


class ObjectiveUpdate(Input):
    """New values; everything but `name` and `description` goes into a draft."""

    name: Name | None = None
    description: LongText | None = None
    direction: Literal["maximize"] | None = None
    terms: list[TermBody] | None = Field(default=None, min_length=1, max_length=30)
    authorities: AuthorityBody | None = None
    constraints: list[ConstraintBody] | None = Field(default=None, max_length=30)
    min_effect: Fraction | None = None
    alpha: float | None = Field(default=None, gt=0, lt=0.5)
    missing: Missing | None = None

    def content(self, current: ObjectiveContent) -> ObjectiveContent | None:
        """The new content, or None when it stays."""
        changes = self.model_dump(exclude={"name", "description"}, exclude_none=True)
        if not changes:
            return None
        return ObjectiveContentBody.model_validate({**current.as_json(), **changes}).content()


class ObjectiveVersionOut(Output):
    """One version."""

    objective_id: str
    version: int
    status: str
    content_hash: str
    created_at: Moment
    activated_at: Moment | None
    created_by: str
    direction: str
    min_effect: float
    alpha: float
    missing: str
    terms: list[dict[str, Any]]
    authorities: dict[str, Any]
    constraints: list[dict[str, Any]]

    @classmethod
    def of(cls, version: ObjectiveVersion) -> ObjectiveVersionOut:
        """The wire form."""
        return cls(
            objective_id=version.objective_id,
            version=version.version,
            status=version.status,
            content_hash=version.content.content_hash,
            created_at=version.created_at,
            activated_at=version.activated_at,
            created_by=version.created_by,
            **version.content.as_json(),
        )


class ObjectiveOut(Output):
    """An objective with its newest version, or the one asked for. An archived one has the status `archived`."""

    id: str
    name: str
    description: str
    version: int
    status: str
    active_version: int | None
    latest_version: int
    content_hash: str
    created_at: Moment
    updated_at: Moment
    created_by: str
    direction: str
    min_effect: float
    alpha: float
    missing: str
    terms: list[dict[str, Any]]
    authorities: dict[str, Any]
    constraints: list[dict[str, Any]]

    @classmethod
    def of(cls, entry: ObjectiveEntry) -> ObjectiveOut:
        """The wire form."""
        shown = entry.shown
        return cls(
            id=entry.id,
            name=entry.name,
            description=entry.description,
            version=shown.version,
            status="archived" if entry.is_archived else shown.status,
            active_version=entry.active_version,
            latest_version=entry.latest_version,
            content_hash=shown.content.content_hash,
            created_at=entry.created_at,
            updated_at=entry.updated_at,
            created_by=entry.created_by,
            **shown.content.as_json(),
        )
