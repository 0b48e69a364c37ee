"""What a job is: its states, lanes, outcome and the rules of retrying. Knows neither tables nor the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from specloop.kit.context import Principal


class JobState(StrEnum):
    """Where a job stands. `queued` and `running` are open, the others final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the job any more."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


class Lane(StrEnum):
    """A queue with its own slots, so that one kind of work cannot starve another (spectral.md §7.3 rule 5)."""

    INTERACTIVE = "interactive"
    SCAN = "scan"
    VALIDATION = "validation"
    MAINTENANCE = "maintenance"


DEFAULT_SLOTS: Mapping[Lane, int] = {
    Lane.INTERACTIVE: 4,
    Lane.SCAN: 2,
    Lane.VALIDATION: 1,
    Lane.MAINTENANCE: 1,
}

FAILURES_MAX = 3
# Kills are not the job's fault as a rule (deploys, reboots), so they have a budget of their own. It only counts kills
# in a row between which no step was finished: a job that kills its worker every time still ends.
LOSSES_MAX = 10
LOSSES_WITHOUT_DELAY = 3
RETRY_DELAY_SECONDS_MAX = 300.0
LOSS_DELAY_SECONDS_MAX = 60.0


def retry_delay_seconds(failures: int) -> float:
    """How long to wait before the attempt after `failures` failed ones (≥ 1): 1, 4, 16 … seconds, at most 5 minutes."""
    return min(4.0 ** (failures - 1), RETRY_DELAY_SECONDS_MAX)


def loss_delay_seconds(losses: int) -> float:
    """How long a job waits after its `losses`-th loss in a row: at first not at all, then longer and longer.

    A job that kills its worker thus leaves the program alive for a while between two attempts.
    """
    if losses <= LOSSES_WITHOUT_DELAY:
        return 0.0
    return min(4.0 ** (losses - LOSSES_WITHOUT_DELAY - 1), LOSS_DELAY_SECONDS_MAX)


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` units (total 0: not known), with a line for people."""

    done: int = 0
    total: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job failed. `incident` finds the log entry of an unexpected error; expected ones have none."""

    code: str
    detail: str
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A job as its owner sees it. The payload is left out: it may hold what must not be shown."""

    id: str
    name: str
    queue: Lane
    state: JobState
    progress: Progress
    error: JobError | None
    attempts: int
    is_cancel_requested: bool
    created_at: datetime
    run_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A due job among others: the `turn`-th oldest of its workspace, which has `running` jobs of the lane already."""

    id: str
    workspace_id: str
    turn: int
    running: int


def fair_order(jobs: list[Waiting], served: Mapping[str, float]) -> list[str]:
    """The ids in the order to start them: workspaces in turn, those with fewer running jobs and older turns first.

    `served` holds when a workspace was last given a slot; equals keep the order of `jobs`.
    """
    order = sorted(jobs, key=lambda job: (job.turn + job.running, served.get(job.workspace_id, float("-inf"))))
    return [job.id for job in order]


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt at a job, held by this worker. `attempt` also fences: a later claim has a higher one."""

    job_id: str
    name: str
    queue: Lane
    attempt: int
    failures: int
    principal: Principal
    payload: dict[str, Any] = field(repr=False)

    @property
    def workflow_id(self) -> str:
        """The engine's id for this attempt."""
        return workflow_id(self.job_id, self.attempt)


def workflow_id(job_id: str, attempt: int) -> str:
    """The engine's id for attempt 1, 2 … of a job: the first is the outbox id itself."""
    return job_id if attempt == 1 else f"{job_id}.{attempt}"


def job_id_of(workflow: str) -> str:
    """The job that an engine's id belongs to."""
    return workflow.partition(".")[0]
