"""Assembles the one ASGI application: routers of every domain, error renderers, documents, the edge around it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match

from specloop import __version__
from specloop.app import docs, errors, health, metrics
from specloop.app.openapi import product_document
from specloop.app.web import assets
from specloop.errors import MethodNotAllowed, NotFound, SpecloopError
from specloop.transport import specstory
from specloop.transport.guard import requires
from specloop.transport.routing import Door, api_router

_ANY_METHOD = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What `main` built and the application serves."""

    door: Door
    services: Mapping[type, object]
    routers: Sequence[APIRouter]
    pages: Sequence[APIRouter] = ()
    lifespan: Callable[[], AbstractAsyncContextManager[None]] | None = None
    state: Mapping[str, object] = field(default_factory=dict[str, object])


def build_app(parts: Parts) -> FastAPI:
    """The application without the edge middlewares (see `specloop.transport.edge`)."""
    app = FastAPI(
        title="Specloop",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(parts),
    )
    app.state.door = parts.door
    app.state.services = dict(parts.services)
    for name, value in parts.state.items():
        setattr(app.state, name, value)
    for router in (health.router, metrics.router, docs.router, *parts.routers, *parts.pages):
        app.router.routes.extend(router.routes)  # flat: matching, the document and the tests see plain routes
    app.mount(assets.MOUNT, assets.serve, name="static")
    app.router.routes.extend(specstory.common_routes().routes)
    app.router.routes.extend(_unknown_api_routes().routes)
    for kind in (SpecloopError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer_error)
    app.openapi = lambda: product_document(app)
    return app


def _lifespan(parts: Parts) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_app: FastAPI) -> AsyncGenerator[None]:
        if parts.lifespan is None:
            yield
            return
        async with parts.lifespan():
            yield

    return run


async def _answer_error(request: Request, error: Exception) -> Response:
    return errors.render(errors.translate(error), request)


def _unknown_api_routes() -> APIRouter:
    """Unknown paths below the APIs: 401 without a credential, 404 (or 405) with one (ARCHITECTURE: where they meet)."""
    router = api_router()

    @requires(audiences=specstory.RECORD_AUDIENCES)  # whose client takes 401 for a reason to sign in again
    async def answer_unknown(request: Request) -> Response:
        allowed = _other_methods(request)
        if allowed:
            raise MethodNotAllowed(headers={"Allow": ", ".join(sorted(allowed))})
        raise NotFound

    for prefix in ("/api", "/otel", "/v1"):
        router.add_api_route(prefix, answer_unknown, methods=_ANY_METHOD, include_in_schema=False)
        router.add_api_route(prefix + "/{rest:path}", answer_unknown, methods=_ANY_METHOD, include_in_schema=False)
    return router


def _other_methods(request: Request) -> set[str]:
    """The methods of the one resource that the path names: `/invites/accept` is not `/invites/{invite_id}`."""
    matching = [route for route in request.app.routes if route.matches(request.scope)[0] is Match.PARTIAL]
    first = min((_generality(route) for route in matching), default=0)
    return {method for route in matching if _generality(route) == first for method in getattr(route, "methods", ())}


def _generality(route: BaseRoute) -> int:
    """How many parts of the route's path are parameters."""
    return getattr(route, "path_format", "").count("{")
