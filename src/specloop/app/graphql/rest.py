"""`/api/v1/graphql`: one address, three ways in (specstory.md §2).

Queries by POST or GET with a credential; the schema alone for everybody who sends `x-graphql-introspection: true`; the
page for a browser. Each is a route of its own, so that each has its own guard.
"""

from __future__ import annotations

import asyncio
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Final

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from specloop.app.graphql.negotiation import PATH, is_page_wanted
from specloop.app.web.frame import FrameHere
from specloop.identity.auth.cookies import access_token_of
from specloop.kit.context import Principal
from specloop.transport.guard import Budget, public
from specloop.transport.routing import Ctx, Handler, door_of, use_context
from specloop.transport.specstory import SpecStoryRoute, reads, record_router

INTROSPECTION_HEADER: Final = "x-graphql-introspection"


class QueryRoute(SpecStoryRoute):
    """Reads, whatever the method: a query by POST must not wait for the only writer."""

    async def _in_transaction(self, request: Request, principal: Principal, inner: Handler) -> Response:
        async with door_of(request).database.reading(principal.workspace_id) as unit:
            use_context(request, principal, unit)
            return await inner(request)


class IntrospectionRoute(QueryRoute):
    """Only for callers without a credential who ask for the schema by header."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for any route, for such callers."""
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL and _is_anonymous_introspection(scope) else (Match.NONE, {})


class PageRoute(SpecStoryRoute):
    """Only for browsers that open the address."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As for any route, for such callers."""
        match, child = super().matches(scope)
        is_wanted = match is Match.FULL and is_page_wanted(HTTPConnection(scope))
        return (match, child) if is_wanted else (Match.NONE, {})


def _is_anonymous_introspection(scope: Scope) -> bool:
    caller = HTTPConnection(scope)
    is_asked = caller.headers.get(INTROSPECTION_HEADER, "").strip().lower() == "true"
    return is_asked and "authorization" not in caller.headers and access_token_of(caller) is None


@cache
def load() -> ModuleType:
    """What stands behind the routes. Its libraries take a fifth of the time of a start, so it loads after that."""
    return import_module("specloop.app.graphql.serving")


async def _loaded() -> ModuleType:
    return load() if load.cache_info().currsize else await asyncio.to_thread(load)


@public()
async def introspect_schema(request: Request) -> Response:
    """The schema, and nothing else, for anybody."""
    return await (await _loaded()).answer_introspection(request)


@reads(budget=Budget.GRAPHQL)
async def show_page(frame: FrameHere) -> Response:
    """The page that helps to write queries."""
    return (await _loaded()).page(frame)


@reads(budget=Budget.GRAPHQL)
async def query(request: Request, ctx: Ctx) -> Response:
    """Executes a query over what the caller recorded."""
    return await (await _loaded()).answer_query(request, ctx)


router = record_router(PATH)
for _endpoint, _methods, _kind in (
    (introspect_schema, ["GET", "POST"], IntrospectionRoute),
    (show_page, ["GET"], PageRoute),
    (query, ["GET", "POST"], QueryRoute),
):
    # Not in the OpenAPI document: a GraphQL server describes itself (`schemas/schema.graphql`).
    router.add_api_route("", _endpoint, methods=_methods, route_class_override=_kind, include_in_schema=False)
