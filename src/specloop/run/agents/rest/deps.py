"""What the routes of agents share: services, `If-Match`, and what a key may see."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request

from specloop.db.context import Context
from specloop.run.agents.service.card import CardService
from specloop.run.agents.service.registry import VersionCheck
from specloop.run.agents.service.running import AgentRunner
from specloop.transport.etag import check_if_match
from specloop.transport.routing import provided

PREFIX = "/api/v1/workspaces/{workspace_id}/agents"
READ_AGENTS = ("read:agents", "read:workspace")

Cards = Annotated[CardService, Depends(provided(CardService))]
Runner = Annotated[AgentRunner, Depends(provided(AgentRunner))]
VersionInPath = Annotated[int, Path(ge=1, le=2**31 - 1)]


async def if_match(request: Request) -> VersionCheck:
    """The check of the request's `If-Match` against a version."""
    return partial(check_if_match, request)


IfMatch = Annotated[VersionCheck, Depends(if_match)]


def shows_candidates(ctx: Context) -> bool:
    """A key sees the promoted config only (router 5); people see what waits for promotion too."""
    return ctx.principal.has_scope("read:workspace")
