"""Run an agent once."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from specloop.db.context import Context
from specloop.run.agents.rest.deps import PREFIX, Runner
from specloop.run.agents.schema.configs import RunAnswer, RunBody, render_run
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, api_router, door_of

router = api_router(PREFIX, tags=["Agents"])


@router.post("/{agent_id}/run", summary="Run an agent once", response_model=RunAnswer)
@requires("write:workspace")
async def run_agent(
    workspace_id: str, agent_id: str, body: RunBody, ctx: Ctx, runner: Runner, request: Request
) -> dict[str, Any]:
    """One call through its runtime; an external agent cannot be run here."""
    # A run may take long and writes nothing here, so it must not hold the request's writing transaction.
    door = door_of(request)
    async with door.database.reading(ctx.workspace_id) as unit:
        reading = Context(ctx.principal, unit, ctx.clock, ctx.request)
        plan = await runner.plan(reading, agent_id.lower(), body.version, body.input)
    return render_run(await runner.run(plan, body.input))
