"""Agents themselves: create, list, read, change, archive, and their performance card."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from specloop.db.paging import PageRequest
from specloop.run.agents.model import AgentOrigin, AgentStatus, ServedAgent
from specloop.run.agents.rest.deps import PREFIX, READ_AGENTS, Cards, IfMatch, shows_candidates
from specloop.run.agents.schema.agents import AgentBody, AgentCreate, AgentPatch, CardBody, render_agent, render_card
from specloop.run.agents.service import registry
from specloop.transport.etag import etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router

router = api_router(PREFIX, tags=["Agents"])


def answer(ctx: Ctx, served: ServedAgent, response: Response) -> dict[str, Any]:
    """One agent with its ETag."""
    response.headers["ETag"] = etag(served.agent.version)
    return render_agent(served, shows_candidates=shows_candidates(ctx))


@router.post("", status_code=201, summary="Create an agent", response_model=AgentBody)
@requires("write:workspace")
async def create_agent(workspace_id: str, body: AgentCreate, ctx: Ctx, response: Response) -> dict[str, Any]:
    """Its config becomes version 1 and is promoted."""
    served = await registry.create(ctx, body.to_model())
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/agents/{served.agent.id}"
    return answer(ctx, served, response)


@router.get("", summary="List agents", response_model=PageBody[AgentBody])
@requires(*READ_AGENTS)
async def list_agents(
    workspace_id: str,
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("name", "created_at", "updated_at")],
    status: Annotated[AgentStatus | None, Query()] = None,
    origin: Annotated[AgentOrigin | None, Query()] = None,
) -> dict[str, Any]:
    """With their promoted configs; sort by name, created_at or updated_at."""
    found = await registry.list_agents(ctx, status, origin, page)
    shows = shows_candidates(ctx)
    return page_body(found, lambda served: render_agent(served, shows_candidates=shows))


@router.get("/{agent_id}", summary="Read an agent", response_model=AgentBody)
@requires(*READ_AGENTS)
async def read_agent(workspace_id: str, agent_id: str, ctx: Ctx, response: Response) -> dict[str, Any]:
    """With its promoted config."""
    return answer(ctx, await registry.read(ctx, agent_id.lower()), response)


@router.patch("/{agent_id}", summary="Change an agent", response_model=AgentBody)
@requires("write:workspace")
async def change_agent(
    workspace_id: str, agent_id: str, body: AgentPatch, ctx: Ctx, check: IfMatch, response: Response
) -> dict[str, Any]:
    """Everything but its config; a dependency cycle is refused."""
    return answer(ctx, await registry.change(ctx, agent_id.lower(), body.to_model(), check), response)


@router.delete("/{agent_id}", status_code=204, summary="Archive an agent")
@requires("admin:workspace")
async def archive_agent(workspace_id: str, agent_id: str, ctx: Ctx, check: IfMatch) -> None:
    """Refused while active agents depend on it; its versions stay readable."""
    await registry.archive(ctx, agent_id.lower(), check)


@router.get("/{agent_id}/card", summary="Read an agent's performance card", response_model=CardBody)
@requires("read:workspace")
async def read_card(workspace_id: str, agent_id: str, ctx: Ctx, cards: Cards) -> dict[str, Any]:
    """Baseline, best, holdout history, open clusters, cost and promotions."""
    return render_card(await cards.read(ctx, agent_id.lower()))
