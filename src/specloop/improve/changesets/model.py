"""What a change set is, the machine it follows (spectral.md §1.2.2), and the pure rules on pointers and modes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, cast

from specloop.errors import InvalidTransition

EditOp = Literal["replace", "add", "remove"]
Risk = Literal["low", "medium", "high"]
EXPIRES_AFTER_DAYS = 30
OVERRIDE_REASON_LENGTH_MIN = 10


class Status(StrEnum):
    """Where a change set stands."""

    PROPOSED = "proposed"
    VALIDATING = "validating"
    ACCEPTED = "accepted"
    APPLIED = "applied"
    REJECTED = "rejected"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


_MOVES: dict[Status, tuple[Status, ...]] = {
    Status.PROPOSED: (Status.VALIDATING, Status.ACCEPTED, Status.REJECTED, Status.SUPERSEDED, Status.EXPIRED),
    Status.VALIDATING: (Status.PROPOSED,),
    Status.ACCEPTED: (Status.APPLIED, Status.ROLLED_BACK),
    Status.APPLIED: (Status.ROLLED_BACK,),
    Status.REJECTED: (),
    Status.ROLLED_BACK: (),
    Status.EXPIRED: (),
    Status.SUPERSEDED: (),
}

CURATABLE = frozenset({Status.PROPOSED, Status.VALIDATING})
"""States in which the clusters behind a change set may still be curated (spectral.md §1.2.3)."""


def allowed_moves(current: Status) -> list[str]:
    """The states that may follow."""
    return [state.value for state in _MOVES[current]]


def move(current: Status, wanted: Status) -> Status:
    """`wanted`, if a change set may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _MOVES[current]:
        raise InvalidTransition.of("the change set", current, wanted, allowed_moves(current))
    return wanted


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of one place of an agent's config; `diff` is unified and set for texts."""

    agent_id: str
    pointer: str
    op: EditOp
    before: Any = None
    after: Any = None
    diff: str = ""
    operator: str = "manual"
    rationale: str = ""
    evidence: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change set on its way in. `candidate_hashes` and `base_versions` are by agent id."""

    title: str
    summary: str
    edits: tuple[Edit, ...]
    base_versions: dict[str, int]
    candidate_hashes: dict[str, str]
    scan_id: str | None = None
    sample_set_version_id: str | None = None
    objective_version_id: str | None = None
    clusters_addressed: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict[str, Any])
    explanation: dict[str, Any] = field(default_factory=dict[str, Any])
    risk: Risk = "low"
    risk_reasons: tuple[str, ...] = ()
    labels: dict[str, Any] = field(default_factory=dict[str, Any])
    rollback_of: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decided what, and why."""

    verb: str
    actor: str
    reason: str
    detail: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """A change set as its domain sees it."""

    id: str
    scan_id: str | None
    status: Status
    title: str
    summary: str
    labels: dict[str, Any]
    agent_ids: tuple[str, ...]
    base_versions: dict[str, int]
    candidate_hashes: dict[str, str]
    clusters_addressed: tuple[str, ...]
    sample_set_version_id: str | None
    objective_version_id: str | None
    metrics: dict[str, Any]
    explanation: dict[str, Any]
    verdict: str | None
    verdict_binding: dict[str, Any]
    gates: tuple[dict[str, Any], ...]
    risk: Risk
    risk_reasons: tuple[str, ...]
    autonomy_decision: dict[str, Any]
    result_versions: dict[str, int]
    decided_by: str | None
    decided_at: datetime | None
    applied_by: str | None
    applied_at: datetime | None
    rollback_of: str | None
    superseded_by: str | None
    expires_at: datetime
    revision: int
    created_at: datetime
    updated_at: datetime
    created_by: str
    edits: tuple[Edit, ...]
    decisions: tuple[Decision, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a change set."""

    seq: int
    type: str
    actor: str
    data: dict[str, Any]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark under a change set."""

    id: str
    author: str
    text: str
    created_at: datetime


def overlaps(left: str, right: str) -> bool:
    """Whether two JSON pointers name the same place, or one lies inside the other."""
    return left == right or left.startswith(right + "/") or right.startswith(left + "/")


def share_places(left: Sequence[Edit], right: Sequence[Edit]) -> bool:
    """Whether two lists of edits touch a common place of a common agent."""
    return any(a.agent_id == b.agent_id and overlaps(a.pointer, b.pointer) for a in left for b in right)


def inverse(edit: Edit) -> Edit:
    """The edit that takes `edit` back."""
    ops: dict[EditOp, EditOp] = {"replace": "replace", "add": "remove", "remove": "add"}
    return Edit(edit.agent_id, edit.pointer, ops[edit.op], edit.after, edit.before, operator="rollback")


def value_at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), None where there is none."""
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = cast("dict[str, Any]", document).get(name)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(cast("list[Any]", document)):
            document = cast("list[Any]", document)[int(name)]
        else:
            return None
    return document
