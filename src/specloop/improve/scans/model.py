"""What a scan is, the machine it follows (spectral.md §1.2.1), and what it is asked for. Pure.

The values of the search itself are in `search/model.py`; this file is about the run as a resource.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from specloop.errors import InvalidTransition

Engine = Literal["reflective", "numeric"]
Traces = Literal["none", "key", "all"]
STALLED_ATTEMPTS_MAX = 10
"""Attempts in a row that save no checkpoint before a scan is given up. More than the three of spectral.md §1.2.1: those
are for leases that run out, while a restart of the server, which is not the scan's fault, ends an attempt too."""


class Status(StrEnum):
    """Where a scan stands."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the scan any more."""
        return not _MOVES[self]


ACTIVE = (Status.QUEUED, Status.RUNNING, Status.PAUSED, Status.CANCELLING)
"""States in which a scan holds its agent: there is at most one per agent."""

_MOVES: dict[Status, tuple[Status, ...]] = {
    Status.SCHEDULED: (Status.QUEUED, Status.FAILED, Status.CANCELLED),
    Status.QUEUED: (Status.RUNNING, Status.CANCELLED),
    Status.RUNNING: (Status.COMPLETED, Status.FAILED, Status.QUEUED, Status.CANCELLING, Status.PAUSED),
    Status.PAUSED: (Status.QUEUED, Status.CANCELLED),
    Status.CANCELLING: (Status.CANCELLED,),
    Status.COMPLETED: (),
    Status.FAILED: (),
    Status.CANCELLED: (),
}


def allowed_moves(current: Status) -> list[str]:
    """The states that may follow."""
    return [state.value for state in _MOVES[current]]


def move(current: Status, wanted: Status) -> Status:
    """`wanted`, if a scan may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _MOVES[current]:
        raise InvalidTransition.of("the scan", current, wanted, allowed_moves(current))
    return wanted


def cancelled_from(current: Status) -> Status:
    """Where `POST cancel` leads: running scans stop at the next checkpoint, waiting ones at once.

    Raises: InvalidTransition.
    """
    at_once = current in (Status.SCHEDULED, Status.QUEUED, Status.PAUSED)
    return move(current, Status.CANCELLED if at_once else Status.CANCELLING)


def check_retry(current: Status) -> None:
    """Only a failed or cancelled scan can be tried again.

    Raises: InvalidTransition.
    """
    if current not in (Status.FAILED, Status.CANCELLED):
        raise InvalidTransition.of("the scan", current, "retried", allowed_moves(current))


@dataclass(frozen=True, slots=True)
class SearchWish:
    """How to search. `traces` says whose runs leave spans: nobody's, those of baseline and winner, or all."""

    engine: Engine = "reflective"
    parents: int = 1
    batches: int = 1
    merge: bool = True
    minibatch: int = 60
    patience: int = 60
    traces: Traces = "key"


@dataclass(frozen=True, slots=True)
class BudgetWish:
    """Hard limits; None is unlimited."""

    max_evaluations: int | None = 20_000
    max_micro_usd: int | None = None
    max_wall_s: float | None = None
    max_candidates: int | None = None


@dataclass(frozen=True, slots=True)
class ScanWish:
    """What a caller asks for. `components` None searches all mutable components."""

    agent_id: str
    objective_id: str
    sample_set_id: str
    sample_set_version: int | None = None
    name: str = ""
    strategy: SearchWish = field(default_factory=SearchWish)
    budget: BudgetWish = field(default_factory=BudgetWish)
    components: tuple[str, ...] | None = None
    window: dict[str, Any] = field(default_factory=dict[str, Any])
    seed: int = 0
    dry_run: bool = False
    labels: dict[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The wish as a JSON object."""
        body = asdict(self)
        return {**body, "components": list(self.components) if self.components is not None else None}

    @classmethod
    def of(cls, body: dict[str, Any]) -> ScanWish:
        """The wish of a stored JSON object."""
        components = body.get("components")
        values: dict[str, Any] = {
            **body,
            "strategy": SearchWish(**body["strategy"]),
            "budget": BudgetWish(**body["budget"]),
            "components": tuple(components) if components is not None else None,
        }
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as its domain sees it."""

    id: str
    name: str
    labels: dict[str, Any]
    agent_id: str
    agent_version: int
    sample_set_id: str
    sample_set_version_id: str
    objective_id: str
    objective_version_id: str
    retry_of: str | None
    wish: ScanWish
    seed: int
    status: Status
    phase: str | None
    outcome: str | None
    is_pause_requested: bool
    attempt: int
    progress_done: int
    progress_total: int
    readiness: dict[str, Any]
    results: dict[str, Any]
    used: dict[str, Any]
    timings: dict[str, Any]
    engine_versions: dict[str, Any]
    draft_insight: dict[str, Any]
    error: dict[str, Any]
    last_seq: int
    revision: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class ScanEvent:
    """One event on the wire; `seq` runs without gaps."""

    seq: int
    ts: datetime
    type: str
    phase: str | None
    level: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event on its way in."""

    type: str
    data: dict[str, Any] = field(default_factory=dict[str, Any])
    phase: str | None = None
    level: str = "info"


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """A candidate as kept; `val_by_sample` is read from its evaluations."""

    id: str
    scan_id: str
    ordinal: int
    parent_ids: tuple[str, ...]
    operator: str
    edits: tuple[dict[str, Any], ...]
    components: dict[str, Any]
    config_hash: str
    mb_score: float | None
    val_score: float | None
    objective_scores: dict[str, Any]
    on_frontier: bool
    accepted: bool
    reject_reason: str | None
    created_at: datetime


class ClusterStatus(StrEnum):
    """Where a failure cluster stands."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    RESOLVED = "resolved"


_CLUSTER_MOVES: dict[ClusterStatus, tuple[ClusterStatus, ...]] = {
    ClusterStatus.OPEN: (ClusterStatus.CONFIRMED, ClusterStatus.DISMISSED, ClusterStatus.RESOLVED),
    ClusterStatus.CONFIRMED: (ClusterStatus.OPEN, ClusterStatus.DISMISSED, ClusterStatus.RESOLVED),
    ClusterStatus.DISMISSED: (ClusterStatus.OPEN,),
    ClusterStatus.RESOLVED: (),
}


def move_cluster(current: ClusterStatus, wanted: ClusterStatus) -> ClusterStatus:
    """`wanted`, if a cluster may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _CLUSTER_MOVES[current]:
        allowed = [state.value for state in _CLUSTER_MOVES[current]]
        raise InvalidTransition.of("the cluster", current, wanted, allowed)
    return wanted


@dataclass(frozen=True, slots=True)
class Cluster:
    """A group of failures that look alike (spectral.md §1.1 FailureCluster)."""

    id: str
    scan_id: str
    key: str
    parent_id: str | None
    kind: str
    name: str
    description: str
    size: int
    share: float
    severity: str
    status: ClusterStatus
    body: dict[str, Any]
    is_curated: bool
    revision: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """One failing evaluation in a cluster."""

    id: str
    sample_id: str | None
    trace_id: str | None
    distance: float
    excerpt: str
    rationale: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What one purpose used of one model in one phase; `micro_usd` None means that no price is known."""

    phase: str
    purpose: str
    provider: str
    model: str
    calls: int
    cache_hits: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cached_in: int = 0
    micro_usd: int | None = 0
    wall_ms: float = 0.0
    price_source: str = "table"
