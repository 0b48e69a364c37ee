"""Agents that nobody declared: spans name them, so they get a record of their own (spectral.md §1.1 `origin`, §6.2)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError
from specloop.kit.clock import Clock
from specloop.kit.context import system_principal
from specloop.kit.log import get_logger
from specloop.record.traces import TraceReader, heard_since
from specloop.run.agents.model import AgentOrigin
from specloop.run.agents.repository import agents
from specloop.run.agents.service.registry import NewAgent, create
from specloop.run.agents.service.runtimes import EXTERNAL

log = get_logger(__name__)

INFERRED_MAX = 200
"""Inferred agents of one workspace; a sender that makes up a name per call fills no registry."""

NAME_LENGTH_MAX = 100
NAME_ATTRIBUTE: Final = "gen_ai.agent.name"
_FIRST_LOOK = timedelta(days=1)
_OVERLAP = timedelta(minutes=5)


class AgentDiscovery:
    """Looks at the spans that came in since it last looked. What it finds can be changed and archived as any other
    agent; the name of an archived one is not taken up again."""

    def __init__(self, database: Database, clock: Clock, traces: TraceReader) -> None:
        self._database = database
        self._clock = clock
        self._traces = traces
        self._looked_until = clock.now() - _FIRST_LOOK

    async def look(self) -> int:
        """Register the agents that are new in every workspace; how many there were."""
        now = self._clock.now()
        since = self._looked_until - _OVERLAP  # a span can be read a while after it came in
        async with self._database.reading(ALL_WORKSPACES) as unit:
            heard = await heard_since(unit, since)
        found = 0
        for account_id, workspace_id in heard:
            who = system_principal(account_id, workspace_id, frozenset())
            async with self._database.reading(workspace_id) as unit:
                seen = await self._traces.agents_seen(Context(who, unit, self._clock), since)
            async with self._database.writing(workspace_id) as unit:
                found += await _register(Context(who, unit, self._clock), seen)
        self._looked_until = now
        return found


async def _register(ctx: Context, seen: Collection[tuple[str, str]]) -> int:
    known = await agents.known(ctx)
    taken = known.ids | known.names
    new = dict.fromkeys(
        name for agent_id, name in seen if agent_id not in known.ids and name not in taken and _is_name(name)
    )
    room = INFERRED_MAX - known.inferred
    if len(new) > room:
        log.warning("agents.not_inferred", workspace_id=ctx.workspace_id, names=len(new) - max(room, 0))
    found = 0
    for name in list(new)[: max(room, 0)]:
        match = {NAME_ATTRIBUTE: name}
        wanted = NewAgent(name, {"kind": EXTERNAL}, {}, match=match, origin=AgentOrigin.INFERRED)
        try:
            await create(ctx, wanted)
        except SpecloopError as error:  # the workspace was archived, or somebody declared it meanwhile
            log.info("agents.not_inferred", workspace_id=ctx.workspace_id, reason=error.detail)
            continue
        found += 1
    return found


def _is_name(text: str) -> bool:
    return 0 < len(text) <= NAME_LENGTH_MAX and text == text.strip() and text.isprintable()
