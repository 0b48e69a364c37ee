"""An agent's performance card: what each stage knows about how it does.

Scores, holdout history, clusters and cost belong to the improve stage above, which brings them as sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from specloop.db.context import Context
from specloop.run.agents.model import Agent, Promotion
from specloop.run.agents.repository import agents
from specloop.run.agents.service.registry import find


class CardSource(Protocol):
    """Knows a part of the card of an agent of the caller's workspace."""

    async def facts(self, ctx: Context, agent_id: str) -> dict[str, Any]:
        """Some of `baseline`, `best`, `holdout_history`, `open_clusters`, `cost`."""
        ...


@dataclass(frozen=True, slots=True)
class Card:
    """The card; what no source knows is null or empty."""

    agent: Agent
    promotions: list[Promotion]
    baseline: dict[str, Any] | None = None
    best: dict[str, Any] | None = None
    holdout_history: Sequence[dict[str, Any]] = ()
    open_clusters: Sequence[dict[str, Any]] = ()
    cost: dict[str, Any] | None = None


class CardService:
    """Puts the cards together."""

    def __init__(self, sources: Sequence[CardSource] = ()) -> None:
        self._sources = tuple(sources)

    async def read(self, ctx: Context, agent_id: str) -> Card:
        """The card of an agent.

        Raises: AgentNotFound.
        """
        agent = await find(ctx, agent_id)
        facts: dict[str, Any] = {}
        for source in self._sources:
            facts |= await source.facts(ctx, agent_id)
        return Card(agent, await agents.promotions(ctx, agent_id), **facts)
