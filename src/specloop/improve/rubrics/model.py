"""What a rubric is: versions of weighted dimensions, and the machine its versions follow (spectral.md §1.1, §1.2.3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from specloop.errors import InvalidTransition
from specloop.kit.json import canonical_hash

Scale = Literal["binary", "ordinal", "continuous"]
Aggregation = Literal["weighted_mean", "min", "all_pass"]
JudgeKind = Literal["code", "heuristic", "model", "human"]


class VersionStatus(StrEnum):
    """Where a rubric version stands."""

    DRAFT = "draft"
    ACTIVE = "active"
    ARCHIVED = "archived"


_MOVES: dict[VersionStatus, tuple[VersionStatus, ...]] = {
    VersionStatus.DRAFT: (VersionStatus.ACTIVE,),
    VersionStatus.ACTIVE: (VersionStatus.ARCHIVED,),
    VersionStatus.ARCHIVED: (),
}


def move(current: VersionStatus, wanted: VersionStatus) -> VersionStatus:
    """`wanted`, if a version may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _MOVES[current]:
        raise InvalidTransition.of("the rubric version", current, wanted, [state.value for state in _MOVES[current]])
    return wanted


@dataclass(frozen=True, slots=True)
class JudgeSpec:
    """Which judge scores a dimension, and with which arguments."""

    kind: JudgeKind
    ref: str
    args: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class DimensionSpec:
    """One quality. `weight` is relative on the way in and a share of 1 once stored; `levels` belongs to ordinal."""

    key: str
    judge: JudgeSpec
    name: str = ""
    description: str = ""
    weight: float = 1.0
    scale: Scale = "binary"
    levels: int | None = None
    guidance: str = ""
    anchors: tuple[dict[str, Any], ...] = ()
    hard_min: float | None = None


@dataclass(frozen=True, slots=True)
class RubricContent:
    """What a version says; equal content has an equal hash."""

    dimensions: tuple[DimensionSpec, ...]
    aggregation: Aggregation = "weighted_mean"

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content."""
        return canonical_hash({"dimensions": self.as_json(), "aggregation": self.aggregation})

    def as_json(self) -> list[dict[str, Any]]:
        """The dimensions as JSON objects."""
        return [{**asdict(dimension), "anchors": list(dimension.anchors)} for dimension in self.dimensions]

    @classmethod
    def of(cls, dimensions: list[dict[str, Any]], aggregation: Aggregation) -> RubricContent:
        """The content of stored JSON objects."""
        specs: list[DimensionSpec] = []
        for one in dimensions:
            values: dict[str, Any] = {**one, "judge": JudgeSpec(**one["judge"]), "anchors": tuple(one["anchors"])}
            specs.append(DimensionSpec(**values))
        return cls(tuple(specs), aggregation)


def normalised(content: RubricContent) -> RubricContent:
    """The same content with weights that add up to 1."""
    total = sum(dimension.weight for dimension in content.dimensions)
    return replace(content, dimensions=tuple(replace(one, weight=one.weight / total) for one in content.dimensions))


@dataclass(frozen=True, slots=True)
class RubricVersion:
    """One version of a rubric."""

    id: str
    rubric_id: str
    version: int
    status: VersionStatus
    content: RubricContent
    created_at: datetime
    activated_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rubric with the version that is shown: the newest one unless another was asked for."""

    id: str
    name: str
    description: str
    is_archived: bool
    latest_version: int
    active_version: int | None
    revision: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    shown: RubricVersion
