"""What can be run: tasks that domains declare, collected per program. Importing a domain registers nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from specloop.jobs.cron import parse_cron
from specloop.jobs.model import FAILURES_MAX, Lane

if TYPE_CHECKING:
    from specloop.jobs.context import JobContext

T = TypeVar("T")
JobFunction = Callable[["JobContext", dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Task:
    """A named job function, its lane and how many failed attempts end it."""

    name: str
    queue: Lane
    run: JobFunction
    failures_max: int = FAILURES_MAX


@dataclass(frozen=True, slots=True)
class Schedule:
    """A task to be enqueued at the slots of a cron expression; a built-in one is wanted by the code itself."""

    name: str
    cron: str
    zone: str
    task_name: str
    queue: Lane
    is_built_in: bool = True


class Tasks:
    """The tasks of one domain: `tasks = Tasks()` in its `tasks.py`, then `@tasks.job(…)`."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self.schedules: dict[str, Schedule] = {}

    def job(
        self, name: str, *, queue: Lane | str, failures_max: int = FAILURES_MAX
    ) -> Callable[[JobFunction], JobFunction]:
        """Declare `async def run(job, payload)` as the job `name`.

        Raises: ValueError for a name declared twice or a lane that does not exist.
        """

        def declare(run: JobFunction) -> JobFunction:
            _add(self.tasks, name, Task(name, Lane(queue), run, failures_max))
            return run

        return declare

    def scheduled(
        self, name: str, *, cron: str, zone: str = "UTC", queue: Lane | str = Lane.MAINTENANCE
    ) -> Callable[[JobFunction], JobFunction]:
        """Declare a job `name` that is also enqueued at each slot of `cron`; its payload is `{"slot": time}`.

        Raises: ValueError for a bad expression or a name declared twice.
        """
        parse_cron(cron, zone)

        def declare(run: JobFunction) -> JobFunction:
            _add(self.schedules, name, Schedule(name, cron, zone, name, Lane(queue)))
            return self.job(name, queue=queue)(run)

        return declare


class Jobs:
    """All tasks of the program; made once where the program is put together and passed to the worker."""

    def __init__(self, *domains: Tasks) -> None:
        self._tasks: dict[str, Task] = {}
        self._schedules: dict[str, Schedule] = {}
        for tasks in domains:
            self.register(tasks)

    def register(self, tasks: Tasks) -> None:
        """Add a domain's tasks.

        Raises: ValueError when another domain has a task of the same name.
        """
        for name, task in tasks.tasks.items():
            _add(self._tasks, name, task)
        for name, schedule in tasks.schedules.items():
            _add(self._schedules, name, schedule)

    @property
    def names(self) -> list[str]:
        """The names that this program can run."""
        return sorted(self._tasks)

    @property
    def schedules(self) -> Iterator[Schedule]:
        """The built-in schedules."""
        return iter(self._schedules.values())

    def task(self, name: str) -> Task:
        """The task of that name.

        Raises: KeyError.
        """
        return self._tasks[name]


def _add(table: dict[str, T], name: str, value: T) -> None:
    if name in table:
        raise ValueError(f"'{name}' is declared twice")
    table[name] = value
