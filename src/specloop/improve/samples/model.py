"""What sample sets are: versions of samples in three parts, and the machine they follow (spectral.md §1.1, §2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from specloop.errors import InvalidTransition
from specloop.kit.json import canonical_hash

Source = Literal["trace", "import", "synthetic", "feedback"]


class Split(StrEnum):
    """The part a sample belongs to; UNASSIGNED until a split places it."""

    TRAIN = "train"
    VAL = "val"
    HOLDOUT = "holdout"
    UNASSIGNED = ""


class VersionStatus(StrEnum):
    """Where a sample set version stands."""

    DRAFT = "draft"
    FROZEN = "frozen"
    ARCHIVED = "archived"


_MOVES: dict[VersionStatus, tuple[VersionStatus, ...]] = {
    VersionStatus.DRAFT: (VersionStatus.FROZEN,),
    VersionStatus.FROZEN: (VersionStatus.ARCHIVED,),
    VersionStatus.ARCHIVED: (),
}


def move(current: VersionStatus, wanted: VersionStatus) -> VersionStatus:
    """`wanted`, if a version may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _MOVES[current]:
        allowed = [state.value for state in _MOVES[current]]
        raise InvalidTransition.of("the sample set version", current, wanted, allowed)
    return wanted


@dataclass(frozen=True, slots=True)
class NewSample:
    """A sample on its way in."""

    input: Any
    reference: Any = None
    metadata: dict[str, Any] | None = None
    split: Split = Split.UNASSIGNED
    group_key: str | None = None
    source: Source = "import"
    trace_id: str | None = None

    @property
    def content_hash(self) -> str:
        """SHA-256 of what the sample asks and expects; equal samples are duplicates."""
        return content_hash(self.input, self.reference)


def content_hash(value: Any, reference: Any) -> str:
    """SHA-256 of the canonical input and reference."""
    return canonical_hash({"input": value, "reference": reference})


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample of a version. A holdout sample has this form only behind the audited reveal and inside validation."""

    id: str
    version_id: str
    ordinal: int
    input: Any
    reference: Any
    metadata: dict[str, Any]
    split: Split
    group_key: str | None
    source: str
    trace_id: str | None
    content_hash: str
    created_at: datetime
    updated_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class SealedSample:
    """What everybody may know of a holdout sample: that it exists."""

    id: str
    ordinal: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SetVersion:
    """One version; `split` holds how it was divided, `leakage` the report on near-duplicates."""

    id: str
    set_id: str
    version: int
    status: VersionStatus
    split: dict[str, Any]
    leakage: dict[str, Any]
    counts: dict[str, int]
    content_hash: str
    is_sealed: bool
    created_at: datetime
    updated_at: datetime
    frozen_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class SampleSet:
    """A sample set with the version that is shown: the newest one unless another was asked for."""

    id: str
    name: str
    description: str
    labels: dict[str, Any]
    latest_version: int
    revision: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    shown: SetVersion
