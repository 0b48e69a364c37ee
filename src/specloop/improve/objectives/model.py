"""What an objective is: terms over rubric versions, authorities and guardrails, and the machine its versions follow.

Spectral.md §1.1 Objective, §1.2.3. How scores become one number is `composite.py`, not here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from specloop.errors import InvalidTransition
from specloop.improve.objectives.composite import Comparison, Missing
from specloop.kit.json import canonical_hash

METRICS = frozenset({"p95_latency_ms", "cost_micro_usd", "token_in", "error_rate"})
DIMENSION_PREFIX = "dimension:"


class VersionStatus(StrEnum):
    """Where an objective version stands."""

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
        raise InvalidTransition.of("the objective version", current, wanted, [state.value for state in _MOVES[current]])
    return wanted


@dataclass(frozen=True, slots=True)
class TermSpec:
    """A share of the objective: a whole rubric version, or one dimension of it."""

    rubric_id: str
    rubric_version: int | None = None
    dimension: str | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class AuthoritySpec:
    """How much reference-based and rubric-based findings count, and the worst that each may be."""

    reference: float = 0.0
    rubric: float = 0.0
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class ConstraintSpec:
    """A guardrail on a metric of all evaluations."""

    metric: str
    op: Comparison
    value: float
    margin: float = 0.0


@dataclass(frozen=True, slots=True)
class ObjectiveContent:
    """What a version says. Once stored, every term names its rubric version."""

    terms: tuple[TermSpec, ...]
    authorities: AuthoritySpec = field(default_factory=AuthoritySpec)
    constraints: tuple[ConstraintSpec, ...] = ()
    min_effect: float = 0.02
    alpha: float = 0.05
    missing: Missing = "fail"
    direction: Literal["maximize"] = "maximize"

    def as_json(self) -> dict[str, Any]:
        """The content as a JSON object."""
        body = asdict(self)
        return {**body, "terms": list(body["terms"]), "constraints": list(body["constraints"])}

    @classmethod
    def of(cls, body: dict[str, Any]) -> ObjectiveContent:
        """The content of a stored JSON object."""
        values: dict[str, Any] = {
            **body,
            "terms": tuple(TermSpec(**one) for one in body["terms"]),
            "authorities": AuthoritySpec(**body["authorities"]),
            "constraints": tuple(ConstraintSpec(**one) for one in body["constraints"]),
        }
        return cls(**values)

    @property
    def content_hash(self) -> str:
        """SHA-256 of the canonical content."""
        return canonical_hash(self.as_json())


@dataclass(frozen=True, slots=True)
class ObjectiveVersion:
    """One version of an objective."""

    id: str
    objective_id: str
    version: int
    status: VersionStatus
    content: ObjectiveContent
    created_at: datetime
    activated_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class ObjectiveEntry:
    """An objective with the version that is shown: the newest one unless another was asked for."""

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
    shown: ObjectiveVersion
