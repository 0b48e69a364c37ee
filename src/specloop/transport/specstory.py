"""Routes in SpecStory's dialect: who may call them, where the caller stands, and what unknown paths answer.

Error bodies are rendered by `specloop.app.errors`; which paths belong here is said in `dialects`. Ids in these paths
are the clients' own texts, so no parameter of theirs is checked to be a UUID.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from specloop.errors import NotFound
from specloop.kit import json
from specloop.transport.dialects import RECORD_BASE, RECORD_SEGMENTS
from specloop.transport.guard import Budget, public, requires
from specloop.transport.routing import GuardedRoute, api_router

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
RECORD_AUDIENCES: Final = frozenset({"api", "record", "personal"})
"""Sign-in tokens, device tokens and personal keys. Workspace keys are refused: they are nobody in particular."""
SESSION_PATH: Final = re.compile(r"/api/v1/projects/[^/]+/sessions/[^/]+")
"""Where whole sessions are put: the one record route with large bodies (specstory.md §1.2)."""
_TAG = "Record"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class SpecStoryRoute(GuardedRoute):
    """A guarded route whose path parameters are arbitrary texts; only NUL, which no store takes, names nothing."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the framework says, but not for a path with NUL in a parameter."""
        match, child = super().matches(scope)
        if match is not Match.NONE and any("\x00" in str(value) for value in child["path_params"].values()):
            return Match.NONE, {}
        return match, child


def record_router(prefix: str, *, tags: list[str] | None = None) -> APIRouter:
    """A router of SpecStory's dialect; `prefix` is the whole one, such as /api/v1/projects."""
    return APIRouter(prefix=prefix, tags=list(tags or [_TAG]), route_class=SpecStoryRoute, redirect_slashes=False)


def reads(*, budget: Budget = Budget.REST) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that only reads, in the caller's default workspace (specstory.md §1.0, scope)."""
    return _guarded("read:workspace", budget)


def writes(*, budget: Budget = Budget.REST) -> Callable[[Endpoint], Endpoint]:
    """Mark an endpoint that changes something in the caller's default workspace."""
    return _guarded("write:workspace", budget)


def _guarded(scope: str, budget: Budget) -> Callable[[Endpoint], Endpoint]:
    return requires(scope, users_only=True, default_workspace=True, audiences=RECORD_AUDIENCES, budget=budget)


def success(data: object) -> dict[str, object]:
    """The envelope of an answer (specstory.md §1.0)."""
    return {"success": True, "data": data}


@cache
def common_routes() -> APIRouter:
    """OPTIONS anywhere, and unknown paths: 401 without a credential, `Not found` with one (specstory.md §1.0).

    They are the same for every application, like those of a module-level router.
    """
    router = api_router()

    @public()
    async def answer_options() -> Response:
        return Response(json.dumps({"success": True}), media_type="application/json")

    @requires(audiences=RECORD_AUDIENCES)
    async def answer_unknown() -> Response:
        raise NotFound

    for segment in RECORD_SEGMENTS:
        for path in (RECORD_BASE + segment, RECORD_BASE + segment + "/{rest:path}"):
            router.add_api_route(path, answer_options, methods=["OPTIONS"], include_in_schema=False)
            router.add_api_route(path, answer_unknown, methods=_METHODS, include_in_schema=False)
    return router
