"""What stands behind the routes: reads the request, executes, answers. Loading it loads the GraphQL libraries."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from specloop.app.graphql import answers
from specloop.app.graphql.execution import execute, introspect
from specloop.app.graphql.negotiation import PATH
from specloop.app.graphql.page import EXAMPLE, shown_types
from specloop.app.graphql.reading import Reading, Services
from specloop.app.graphql.requests import BadParameters, read_asked
from specloop.app.web.frame import Frame
from specloop.db.context import Context
from specloop.record.search import SearchService
from specloop.record.sessions import ProjectOverview, SessionBatches, SessionReader
from specloop.transport.routing import service_of


async def answer_introspection(request: Request) -> Response:
    """The schema, and nothing else."""
    try:
        return await introspect(request, await read_asked(request))
    except BadParameters as error:
        return answers.refusal(request, error)


async def answer_query(request: Request, ctx: Context) -> Response:
    """A query over what the caller recorded."""
    services = Services(
        reader=service_of(request, SessionReader),
        overview=service_of(request, ProjectOverview),
        batches=service_of(request, SessionBatches),
        search=service_of(request, SearchService),
    )
    try:
        return await execute(request, await read_asked(request), Reading(ctx, services))
    except BadParameters as error:
        return answers.refusal(request, error)


def page(frame: Frame) -> Response:
    """The page that helps to write queries."""
    return frame.page("graphql", endpoint=PATH, example=EXAMPLE, types=shown_types())
