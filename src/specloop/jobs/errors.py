"""What can go wrong with jobs."""

from __future__ import annotations

from specloop.errors import NotFound, SpecloopError


class JobNotFound(NotFound):
    """Job not found"""


class JobCancelled(Exception):
    """The job was asked to stop; raised at its next check and handled by the runner, not by the task."""


class LeaseLost(Exception):
    """Another worker holds this job now, so this attempt may not write any more."""


class StepNotSerializable(SpecloopError):
    """A step returned something that has no JSON form."""

    code = "step-not-serializable"
