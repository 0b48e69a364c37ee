"""What a validation run is and the machine it follows (spectral.md §1.2.3). The gates themselves are `gates.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from specloop.errors import InvalidTransition

LOOKS_MAX = 5
HOLDOUT_FLOOR = 30
"""Below this a holdout proves nothing, whatever the gates say (spectral.md §1.3 router 11)."""
SLICE_SIZE_MIN = 20
"""Slices below this size are not shown: aggregates over a few samples would reveal them."""


class RunStatus(StrEnum):
    """Where a validation run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the run any more."""
        return not _MOVES[self]


_MOVES: dict[RunStatus, tuple[RunStatus, ...]] = {
    RunStatus.QUEUED: (RunStatus.RUNNING, RunStatus.CANCELLED),
    RunStatus.RUNNING: (
        RunStatus.PASSED,
        RunStatus.FAILED,
        RunStatus.INCONCLUSIVE,
        RunStatus.ERROR,
        RunStatus.CANCELLED,
    ),
    RunStatus.PASSED: (),
    RunStatus.FAILED: (),
    RunStatus.INCONCLUSIVE: (),
    RunStatus.ERROR: (),
    RunStatus.CANCELLED: (),
}

STATUS_OF_VERDICT = {
    "pass": RunStatus.PASSED,
    "fail": RunStatus.FAILED,
    "inconclusive": RunStatus.INCONCLUSIVE,
}


def move(current: RunStatus, wanted: RunStatus) -> RunStatus:
    """`wanted`, if a run may go there.

    Raises: InvalidTransition.
    """
    if wanted not in _MOVES[current]:
        allowed = [state.value for state in _MOVES[current]]
        raise InvalidTransition.of("the validation run", current, wanted, allowed)
    return wanted


@dataclass(frozen=True, slots=True)
class Subject:
    """What is compared: a candidate config with its base, by one runtime, on one holdout under one objective."""

    changeset_id: str
    runtime: dict[str, Any]
    base_config: dict[str, Any]
    candidate_config: dict[str, Any]
    base_hash: str
    candidate_hash: str
    sample_set_version_id: str
    objective_version_id: str
    is_base_current: bool = True


@dataclass(frozen=True, slots=True)
class ValidationRun:
    """A run with aggregates only; nothing of a single holdout sample is ever kept."""

    id: str
    changeset_id: str
    status: RunStatus
    verdict: str | None
    reason: str
    repeats: int
    sample_set_version_id: str
    objective_version_id: str
    binding: dict[str, Any]
    result: dict[str, Any]
    error: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    created_by: str


@dataclass(frozen=True, slots=True)
class HoldoutSample:
    """A sealed sample inside the validator."""

    id: str
    input: Any
    reference: Any
    metadata: dict[str, Any]
    group: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a holdout version and the α it may spend."""

    number: int
    alpha: float
