"""`/api/v1/graphql`: one address, three ways in (specstory.md §2).

Queries by POST or GET with a credential; the schema alone for everybody who sends `x-graphql-introspection: true`; the
page for a browser. Each is a route of its own, so that each has its own guard.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from specloop.app.graphql import answers
from specloop.app.graphql.execution import execute, introspect
from specloop.app.graphql.negotiation import PATH, is_page_wanted
from specloop.app.graphql.page import EXAMPLE, shown_types
from specloop.app.graphql.reading import Reading, Services
from specloop.app.graphql.requests import BadParameters, read_asked
from specloop.app.web.frame import FrameHere
from specloop.identity.auth.cookies import access_token_of
from specloop.kit.context import Principal
from specloop.record.search import SearchService
from specloop.record.sessions import ProjectOverview, SessionBatches, SessionReader
from specloop.transport.guard import Budget, public
from specloop.transport.routing import Ctx, Handler, door_of, service_of, use_context
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


async def _services(request: Request) -> Services:
    return Services(
        reader=service_of(request, SessionReader),
        overview=service_of(request, ProjectOverview),
        batches=service_of(request, SessionBatches),
        search=service_of(request, SearchService),
    )


@public()
async def introspect_schema(request: Request) -> Response:
    """The schema, and nothing else, for anybody."""
    try:
        return await introspect(request, await read_asked(request))
    except BadParameters as error:
        return answers.refusal(request, error)


@reads(budget=Budget.GRAPHQL)
async def show_page(frame: FrameHere) -> Response:
    """The page that helps to write queries."""
    return frame.page("graphql", endpoint=PATH, example=EXAMPLE, types=shown_types())


@reads(budget=Budget.GRAPHQL)
async def query(request: Request, ctx: Ctx, services: Annotated[Services, Depends(_services)]) -> Response:
    """Executes a query over what the caller recorded."""
    try:
        return await execute(request, await read_asked(request), Reading(ctx, services))
    except BadParameters as error:
        return answers.refusal(request, error)


router = record_router(PATH)
for _endpoint, _methods, _kind in (
    (introspect_schema, ["GET", "POST"], IntrospectionRoute),
    (show_page, ["GET"], PageRoute),
    (query, ["GET", "POST"], QueryRoute),
):
    # Not in the OpenAPI document: a GraphQL server describes itself (`schemas/schema.graphql`).
    router.add_api_route("", _endpoint, methods=_methods, route_class_override=_kind, include_in_schema=False)
