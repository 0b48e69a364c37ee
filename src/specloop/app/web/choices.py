"""Choices of the select fields: agents, objectives and sample sets of a workspace as (id, name)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.improve.objectives.service import ObjectiveService
from specloop.improve.samples.service import SampleService
from specloop.run import agents
from specloop.run.agents import AgentStatus
from specloop.transport.routing import provided

Choices = list[tuple[str, str]]
Objectives = Annotated[ObjectiveService, Depends(provided(ObjectiveService))]
SampleSets = Annotated[SampleService, Depends(provided(SampleService))]
ALL = PageRequest(limit=LIMIT_MAX)


async def agent_choices(ctx: Context, *, is_active: bool = False) -> Choices:
    """Agents by name, at most a page of them."""
    status = AgentStatus.ACTIVE if is_active else None
    found = await agents.list_agents(ctx, status, None, PageRequest(limit=LIMIT_MAX, sort=(("name", False),)))
    return [(one.agent.id, one.agent.name) for one in found.results]


async def objective_choices(ctx: Context, objectives: ObjectiveService) -> Choices:
    """Objectives that a scan can use."""
    found = await objectives.list(ctx, ALL, "active")
    return [(one.id, one.name) for one in found.results]


async def sample_set_choices(ctx: Context, samples: SampleService) -> Choices:
    """Sample sets with how much is in them."""
    found = await samples.list_sets(ctx, ALL)
    return [(one.id, f"{one.name} ({sum(one.shown.counts.values())} samples)") for one in found.results]
