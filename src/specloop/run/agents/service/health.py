"""What the agents of a workspace add to its health."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.identity.workspaces import Section
from specloop.run.agents.repository import agents


class AgentHealth:
    """Fills the `agents` section: how many there are, and how many have versions that wait for promotion."""

    section = "agents"

    async def report(self, ctx: Context) -> Section:
        """The figures right now."""
        counts = await agents.count_by_status(ctx)
        active, archived = counts.get("active", 0), counts.get("archived", 0)
        waiting = await agents.count_with_candidates(ctx)
        return Section({"active": active, "archived": archived, "with_candidates": waiting})
