"""Run an agent once through its runtime, and leave a trace of it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

from opentelemetry.trace import Tracer

from specloop.db.context import Context
from specloop.run.agents.config import check_json
from specloop.run.agents.errors import AgentArchived, VersionNotFound
from specloop.run.agents.model import ServedAgent
from specloop.run.agents.repository import versions
from specloop.run.agents.service.registry import find
from specloop.run.agents.service.runtimes import runnable
from specloop.run.agents.spans import agent_span, record_output, trace_id_of
from specloop.run.runtime import AgentRuntime, Output


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What will be run, read before the run so that no transaction is open while it lasts."""

    served: ServedAgent
    runtime: AgentRuntime


@dataclass(frozen=True, slots=True)
class RunResult:
    """What came out. `latency_ms` is wall time around the runtime; `trace_id` is None when tracing is off."""

    served: ServedAgent
    output: Output
    latency_ms: float
    trace_id: str | None


class AgentRunner:
    """Runs agents; `tracer` belongs to the OpenTelemetry SDK, whose exporter is not this domain's business."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    async def plan(self, ctx: Context, agent_id: str, version: int | None, value: dict[str, Any]) -> RunPlan:
        """Find the agent, the version (default: the promoted one) and its runtime.

        Raises: AgentNotFound, VersionNotFound, AgentArchived, NotRunnable, ValidationFailed for a bad input.
        """
        check_json(value, ("body", "input"))
        agent = await find(ctx, agent_id)
        if not agent.is_active:
            raise AgentArchived
        number = agent.promoted_version if version is None else version
        config = await versions.get(ctx, agent_id, number)
        if config is None:
            raise VersionNotFound(f"the agent has no version {number}")
        return RunPlan(ServedAgent(agent, config), runnable(agent.runtime))

    async def run(self, plan: RunPlan, value: dict[str, Any]) -> RunResult:
        """Run once, in a thread: a runtime may compute for long or wait for others."""
        with agent_span(self._tracer, plan.served, value) as span:
            started = time.perf_counter()
            output = await asyncio.to_thread(plan.runtime.run, plan.served.config.config, value)
            latency_ms = (time.perf_counter() - started) * 1000
            record_output(self._tracer, span, plan.served, output)
            return RunResult(plan.served, output, latency_ms, trace_id_of(span))
