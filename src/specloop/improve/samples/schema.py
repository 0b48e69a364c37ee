"""Sample sets and samples on the wire (spectral.md §1.1 Sample, §1.3 router 14)."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from specloop.errors import ValidationFailed
from specloop.improve.samples.model import NewSample, Sample, SampleSet, SealedSample, SetVersion, Source, Split
from specloop.transport.schema import Input, JSONObject, LongText, Moment, Name, Output

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def _storable(value: Any) -> None:
    """Samples are recorded data, control characters included; only what JSON columns cannot hold is refused."""
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValueError("NUL characters and lone surrogates cannot be stored")
    if isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            _storable(key)
            _storable(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            _storable(item)


def _checked(value: Any) -> Any:
    _storable(value)
    return value


Recorded = Annotated[Any, AfterValidator(_checked)]
RecordedObject = Annotated[dict[str, Any], AfterValidator(_checked)]
TraceID = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
GroupKey = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Part = Literal["train", "val", "holdout"]


class SampleSetCreate(Input):
    """A new, empty set."""

    name: Name
    description: LongText = ""
    labels: JSONObject = Field(default_factory=dict[str, Any])


class SampleSetUpdate(Input):
    """New values of a set."""

    name: Name | None = None
    description: LongText | None = None
    labels: JSONObject | None = None


class ItemBody(Input):
    """A sample. Without `split` the set's division places it."""

    input: Recorded
    reference: Recorded = None
    metadata: RecordedObject = Field(default_factory=dict[str, Any])
    split: Part | None = None
    group_key: GroupKey | None = None
    source: Source = "import"
    trace_id: TraceID | None = None

    def to_model(self) -> NewSample:
        """The sample inside."""
        values = self.model_dump(exclude={"split"})
        return NewSample(**values, split=Split(self.split or ""))


_ITEMS = TypeAdapter(list[ItemBody])


def read_items(items: list[Any]) -> list[NewSample]:
    """The samples of a bulk body.

    Raises: ValidationFailed, naming the items that are wrong.
    """
    try:
        return [item.to_model() for item in _ITEMS.validate_python(items)]
    except ValidationError as error:
        problems = [
            {"loc": ["body", "items", *one["loc"]], "msg": one["msg"], "code": one["type"]} for one in error.errors()
        ]
        first = problems[0]
        raise ValidationFailed(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", errors=problems[:100]) from None


class ItemUpdate(Input):
    """New values of a draft's sample."""

    input: Recorded = None
    reference: Recorded = None
    metadata: RecordedObject | None = None
    split: Literal["train", "val"] | None = None
    group_key: GroupKey | None = None


class BulkOut(Output):
    """What a bulk request did: the ids in the order of the items."""

    accepted: int
    duplicates: int
    ids: list[str]


class Ratios(Input):
    """Shares of the parts; they must add up to 1."""

    train: float = Field(ge=0, le=1)
    val: float = Field(ge=0, le=1)
    holdout: float = Field(ge=0, le=1)


class SplitBody(Input):
    """How to divide: default 50/20/30 from 300 samples on, else 40/20/40."""

    ratios: Ratios | None = None
    group_by: Name | None = Field(default=None, description="A metadata key whose equal values stay in one part")
    stratify_by: Name | None = Field(default=None, description="A metadata key whose values are spread evenly")
    seed: int = Field(default=0, ge=0, le=2**53)


class VersionOut(Output):
    """One version of a set."""

    id: str
    set_id: str
    version: int
    status: str
    sealed: bool
    content_hash: str
    created_at: Moment
    updated_at: Moment
    frozen_at: Moment | None
    created_by: str
    counts: dict[str, int]
    split: dict[str, Any]
    leakage: dict[str, Any]

    @classmethod
    def of(cls, version: SetVersion) -> VersionOut:
        """The wire form."""
        return cls(
            id=version.id,
            set_id=version.set_id,
            version=version.version,
            status=version.status,
            sealed=version.is_sealed,
            content_hash=version.content_hash,
            created_at=version.created_at,
            updated_at=version.updated_at,
            frozen_at=version.frozen_at,
            created_by=version.created_by,
            counts=version.counts,
            split=version.split,
            leakage=version.leakage,
        )


class SampleSetOut(Output):
    """A set with its newest version, or the one asked for."""

    id: str
    name: str
    description: str
    version: int
    latest_version: int
    status: str
    sealed: bool
    created_at: Moment
    updated_at: Moment
    created_by: str
    counts: dict[str, int]
    labels: dict[str, Any]

    @classmethod
    def of(cls, found: SampleSet) -> SampleSetOut:
        """The wire form."""
        return cls(
            id=found.id,
            name=found.name,
            description=found.description,
            version=found.shown.version,
            latest_version=found.latest_version,
            status=found.shown.status,
            sealed=found.shown.is_sealed,
            created_at=found.created_at,
            updated_at=found.updated_at,
            created_by=found.created_by,
            counts=found.shown.counts,
            labels=found.labels,
        )


class ItemOut(Output):
    """A sample. For a sealed one only `id`, `split` and `created_at` are there."""

    id: str
    split: str | None
    created_at: Moment
    sealed: bool = False
    source: str | None = None
    group_key: str | None = None
    trace_id: str | None = None
    content_hash: str | None = None
    updated_at: Moment | None = None
    created_by: str | None = None
    input: Any = None
    reference: Any = None
    metadata: dict[str, Any] | None = None

    @classmethod
    def of(cls, item: Sample | SealedSample) -> ItemOut:
        """The wire form."""
        if isinstance(item, SealedSample):
            return cls(id=item.id, split=Split.HOLDOUT, created_at=item.created_at, sealed=True)
        return cls(
            id=item.id,
            split=item.split or None,
            created_at=item.created_at,
            source=item.source,
            group_key=item.group_key,
            trace_id=item.trace_id,
            content_hash=item.content_hash,
            updated_at=item.updated_at,
            created_by=item.created_by,
            input=item.input,
            reference=item.reference,
            metadata=item.metadata,
        )


class StatsOut(Output):
    """What a version holds and what it can prove."""

    set_id: str
    version: int
    total: int
    duplicates: int
    by_split: dict[str, int]
    by_label: dict[str, dict[str, int]]
    leakage: dict[str, Any]
    power: dict[str, Any]
