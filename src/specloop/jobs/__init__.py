"""Durable work: a job is asked for in the transaction that needs it, and then runs to its end whatever is killed.

Domains declare jobs in their `tasks.py` with a `Tasks` registry and ask for them with `enqueue`; `specloop.worker`
runs them.
"""

from specloop.jobs.context import JobContext
from specloop.jobs.errors import JobCancelled, JobNotFound, LeaseLost, StepNotSerializable
from specloop.jobs.model import Job, JobError, JobState, Lane, Progress
from specloop.jobs.registry import Jobs, Tasks
from specloop.jobs.schedules import delete_schedule, put_schedule
from specloop.jobs.service import cancel, enqueue, list_jobs, queue_level, read_job

__all__ = [
    "Job",
    "JobCancelled",
    "JobContext",
    "JobError",
    "JobNotFound",
    "JobState",
    "Jobs",
    "Lane",
    "LeaseLost",
    "Progress",
    "StepNotSerializable",
    "Tasks",
    "cancel",
    "delete_schedule",
    "enqueue",
    "list_jobs",
    "put_schedule",
    "queue_level",
    "read_job",
]
