"""Step records kept by DBOS, on its own SQLite file or in the `dbos` schema of the PostgreSQL state database.

DBOS runs an attempt as a workflow and checkpoints its steps. Its queue, recovery and scheduler stay idle: the executor
id is new for each start, so it finds nothing to recover, and the dispatcher hands out work (docs/decisions/0004).
DBOS is one per process, and it swaps the event loop's default thread pool for its own.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import dbos
from dbos import DBOS, DBOSClient, DBOSConfig, SetWorkflowID

from specloop.jobs.engine import Body
from specloop.kit import json
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

log = get_logger(__name__)
THREADS_MAX = 16
IDLE_SECONDS = 20.0
CONNECTIONS = 4
# Nothing of ours waits for DBOS notifications or schedules. The notification poller looks at the end only between two
# polls, so its interval decides how long falling asleep takes; with nobody waiting, a poll asks the database nothing.
NOTIFICATION_POLL_SECONDS = 0.25
SCHEDULER_POLL_SECONDS = 3600.0

_body: ContextVar[Body | None] = ContextVar("specloop_job_body", default=None)


class JSONSerializer(dbos.Serializer):
    """Step results as JSON instead of DBOS' pickles: readable, and harmless to load."""

    def serialize(self, data: Any) -> str:
        """JSON text; an exception is kept by its type only, for its message may hold what a payload holds."""
        return json.dumps({"error": type(data).__name__} if isinstance(data, BaseException) else data).decode()

    def deserialize(self, serialized_data: str) -> Any:
        """The value of a JSON text."""
        return json.loads(serialized_data)

    def name(self) -> str:
        """The name DBOS keeps beside each value."""
        return "specloop_json"


@DBOS.workflow(name="specloop.job")
async def _attempt() -> None:
    """The one workflow DBOS knows. The body arrives through the context that starts it."""
    body = _body.get()
    if body is None:
        raise RuntimeError("an attempt can only be started by the dispatcher")
    await body()


class DBOSEngine:
    """The engine of the product; `url` is `sqlite:///file` or `postgresql://…`.

    DBOS is awake only while attempts run and a little longer: its pollers cost about one percent of a processor, its
    launch costs some 30 ms.
    """

    def __init__(self, url: str, *, schema: str = "dbos", idle_seconds: float = IDLE_SECONDS) -> None:
        self._url = _system_url(url)
        self._schema = schema
        self._idle_seconds = idle_seconds
        self._users = 0
        self._is_awake = False
        self._changing = asyncio.Lock()
        self._nap: asyncio.TimerHandle | None = None
        self._sleeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Migrate the record; the event loop stays free while tables are made."""
        _route_logs()
        await asyncio.to_thread(_prepare, self._url, self._schema)

    async def stop(self) -> None:
        """Close the record."""
        if self._nap is not None:
            self._nap.cancel()
        await self._fall_asleep()

    @asynccontextmanager
    async def _awake(self) -> AsyncGenerator[None]:
        self._users += 1
        if self._nap is not None:
            self._nap.cancel()
        try:
            async with self._changing:
                if not self._is_awake:
                    _launch(self._url, self._schema)
                    self._is_awake = True
            yield
        finally:
            self._users -= 1
            if self._users == 0:
                self._nap = asyncio.get_running_loop().call_later(self._idle_seconds, self._doze)

    def _doze(self) -> None:
        self._sleeping = asyncio.create_task(self._fall_asleep())

    async def _fall_asleep(self) -> None:
        async with self._changing:
            if not self._is_awake or self._users:
                return
            # DBOS made its thread pool the loop's default one. It ends with DBOS, so the loop needs another before.
            loop = asyncio.get_running_loop()
            loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="specloop"))
            await asyncio.to_thread(DBOS.destroy)
            self._is_awake = False

    async def run(self, workflow_id: str, body: Body) -> None:
        """Run `body` as the workflow `workflow_id`."""
        async with self._awake():
            token = _body.set(body)
            try:
                with SetWorkflowID(workflow_id):
                    handle = await DBOS.start_workflow_async(_attempt)
            finally:
                _body.reset(token)
            await handle.get_result()

    async def step(self, key: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """Run a step and record its result. A failure is not recorded, so that the next attempt tries again."""
        failure: list[Exception] = []

        async def guarded() -> dict[str, Any]:
            try:
                return {"value": await function()}
            except Exception as error:  # carried past DBOS, which would record and replay it
                failure.append(error)
                return {"failed": type(error).__name__}

        result = await DBOS.run_step_async({"name": key}, guarded)
        if failure:
            raise failure[0]
        return result["value"]

    async def recorded(self, workflow_ids: Iterable[str]) -> dict[str, Any]:
        """The results of the steps that succeeded in these attempts, by key."""
        results: dict[str, Any] = {}
        async with self._awake():
            for workflow_id in workflow_ids:
                for step in await DBOS.list_workflow_steps_async(workflow_id):
                    output = step["output"]
                    if isinstance(output, dict) and "value" in output:
                        results[step["function_name"]] = output["value"]
        return results

    async def known(self) -> list[str]:
        """The ids of all attempts in the record."""
        # Asked at every start, mostly in vain: a client of the record costs less than waking DBOS with its pollers.
        return await asyncio.to_thread(_known, self._url, self._schema)

    async def forget(self, workflow_ids: Iterable[str]) -> None:
        """Delete the rows of these attempts."""
        async with self._awake():
            await DBOS.delete_workflows_async(list(workflow_ids))


def _launch(url: str, schema: str) -> None:
    # On the event loop's own thread, because DBOS runs workflows on the loop that it is launched from.
    config: DBOSConfig = {
        "name": "specloop",
        "system_database_url": url,
        "dbos_system_schema": schema,
        "application_version": "1",
        "executor_id": new_id(),
        "serializer": JSONSerializer(),
        "log_level": "WARNING",
        "enable_otlp": False,
        "run_migrations": False,
        "use_listen_notify": False,
        "sys_db_pool_size": CONNECTIONS,
        "max_executor_threads": THREADS_MAX,
        "notification_listener_polling_interval_sec": NOTIFICATION_POLL_SECONDS,
        "scheduler_polling_interval_sec": SCHEDULER_POLL_SECONDS,
    }
    DBOS(config=config)
    DBOS.launch()


def _known(url: str, schema: str) -> list[str]:
    client = DBOSClient(system_database_url=url, dbos_system_schema=schema, serializer=JSONSerializer())
    try:
        return [status.workflow_id for status in client.list_workflows(load_input=False, load_output=False)]
    finally:
        client.destroy()


def _system_url(url: str) -> str:
    scheme, colon, rest = url.partition(":")
    backend = scheme.partition("+")[0]
    return f"sqlite{colon}{rest}" if backend == "sqlite" else f"postgresql+psycopg{colon}{rest}"


def _prepare(url: str, schema: str) -> None:
    if url.startswith("sqlite:///"):
        # WAL stays with the file: one sync per step instead of two, and readers never wait for it.
        connection = sqlite3.connect(url.removeprefix("sqlite:///"))
        connection.execute("PRAGMA journal_mode=WAL")
        connection.close()
    DBOS.migrate(url, schema=schema)


def _route_logs() -> None:
    # DBOS adds a console handler only when its logger has none; ours passes everything on to the root logger.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
