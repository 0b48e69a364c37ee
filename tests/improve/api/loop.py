"""A program with the run and improve stages: real store, real jobs, searches in threads; and the steps of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from specloop.db.database import Database
from specloop.identity.audit import epoch_of
from specloop.identity.workspaces.rest import routers as workspace_routers
from specloop.improve.assembly import assemble
from specloop.improve.scans.runner.hosts import InThread, SearchHost
from specloop.jobs import Jobs
from specloop.jobs.dbos_engine import DBOSEngine
from specloop.kit.clock import SystemClock
from specloop.run.agents import AgentRunner, CardService, ConfigServer
from specloop.run.agents.rest import routers as agent_routers
from specloop.testing.datasets.bfcl import Task, baseline_config, load_b1
from specloop.worker import Worker
from tests.identity.workspaces.harness import World, running_world

DEADLINE_SECONDS = 90.0
FINAL = {"completed", "failed", "cancelled"}


@dataclass
class Loop:
    """The program with shortcuts for the steps of the loop; `call` is that of the world inside."""

    inner: World
    start_worker: Callable[[SearchHost | None], Awaitable[Worker]]
    worker: Worker
    ids: dict[str, str] = field(default_factory=dict[str, str])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def restart_worker(self) -> None:
        """Stop the worker in the middle of whatever it does, as a kill would, and start the next."""
        await self.worker.stop(grace_seconds=0)
        self.worker = await self.start_worker(None)

    async def use_host(self, host: SearchHost) -> None:
        """Let a new worker run searches elsewhere."""
        await self.worker.stop(grace_seconds=0)
        self.worker = await self.start_worker(host)

    async def post(self, path: str, body: Any = None, who: str = "owner", status: int | None = None) -> Any:
        """POST and return the body, checked to be a success (or `status`)."""
        answer = await self.inner.call(who, "POST", path, **({} if body is None else {"json": body}))
        wanted = {status} if status is not None else {200, 201, 202}
        assert answer.status_code in wanted, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def get(self, path: str, who: str = "owner", status: int = 200) -> Any:
        """GET and return the body."""
        answer = await self.inner.call(who, "GET", path)
        assert answer.status_code == status, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def set_up(self, tasks: Sequence[Task], *, seed: int = 1) -> dict[str, Any]:
        """Agent, rubric, objective and a divided, frozen sample set; returns the body of a scan."""
        runtime, config = {"kind": "tool-router"}, baseline_config()
        agent = await self.post("agents", {"name": "Router", "runtime": runtime, "config": config})
        dimension = {"key": "right_tool", "judge": {"kind": "code", "ref": "tool_call"}}
        rubric = await self.post("evaluations/rubrics", {"name": "Tool choice", "dimensions": [dimension]})
        objective = await self.post(
            "evaluations/objectives",
            {"name": "Accuracy", "terms": [{"rubric_id": rubric["id"]}], "min_effect": 0.05},
        )
        samples = await self.post("samples/sets", {"name": "B1"})
        for start in range(0, len(tasks), 500):
            items = [
                {"input": one.input, "reference": one.reference, "metadata": one.metadata}
                for one in tasks[start : start + 500]
            ]
            await self.post(f"samples/sets/{samples['id']}/items", {"items": items})
        await self.post(f"samples/sets/{samples['id']}/split", {"seed": seed})
        await self.post(f"samples/sets/{samples['id']}/freeze")
        self.ids |= {
            "agent": agent["id"], "rubric": rubric["id"], "objective": objective["id"], "set": samples["id"],
        }  # fmt: skip
        return {
            "agent_id": agent["id"], "objective_id": objective["id"], "sample_set_id": samples["id"], "seed": seed,
        }  # fmt: skip

    async def until(self, path: str, states: set[str], field_name: str = "status") -> Any:
        """The body at `path` once its status is one of `states`."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (body := await self.get(path))[field_name] not in states:  # noqa: ASYNC110  (it is a server)
                await asyncio.sleep(0.05)
            return body

    async def scan(self, body: dict[str, Any]) -> Any:
        """Start a scan and wait for its end."""
        started = await self.post("scans", body, status=202)
        return await self.until(f"scans/{started['id']}", FINAL)


def tasks_of_b1(every: int = 1) -> list[Task]:
    """The B1 tasks, or every n-th of them."""
    return list(load_b1()[::every])


@asynccontextmanager
async def running_loop(
    database: Database, folder: Path, spans: InMemorySpanExporter, host: SearchHost | None = None
) -> AsyncGenerator[Loop]:
    """The program with its worker started."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("test")
    clock = SystemClock()
    stage = assemble(clock, tracer, host or InThread())
    services: dict[type, Any] = {
        **stage.services,
        AgentRunner: AgentRunner(tracer),
        CardService: CardService(),
        ConfigServer: ConfigServer(epoch_of(database.writer_engine.sync_engine), database),
    }
    is_file = database.engine_name == "sqlite"
    address = f"sqlite:///{folder}/jobs.db" if is_file else database.url.render_as_string(hide_password=False)

    async def start_worker(other_host: SearchHost | None = None) -> Worker:
        wanted = stage.services if other_host is None else assemble(clock, tracer, other_host).services
        by_name = {kind.__name__: service for kind, service in wanted.items()}
        worker = Worker(database, Jobs(*stage.tasks), DBOSEngine(address), services=by_name, clock=clock)
        await worker.start()
        return worker

    routers = [*workspace_routers, *agent_routers, *stage.routers]
    async with running_world(database, routers, services, clock) as world:
        running = Loop(world, start_worker, await start_worker())
        try:
            yield running
        finally:
            await running.worker.stop(grace_seconds=0)
