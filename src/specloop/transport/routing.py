"""The route class of every API: who, where, may they, then one transaction around the handler.

The order of checks is the contract's (spectral.md §1.0): 401, 404 for an invisible workspace, 403, 429, 422, 400.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from specloop.db.context import Context
from specloop.db.database import Database
from specloop.db.uow import ALL_WORKSPACES, UnitOfWork
from specloop.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    RateLimited,
    Unauthenticated,
    UnsupportedMediaType,
    ValidationFailed,
    WorkspaceMismatch,
)
from specloop.kit.clock import Clock
from specloop.kit.context import ANONYMOUS, Principal, RequestInfo
from specloop.kit.ids import parse_uuid
from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.guard import Admission, Budget, Gate, Guard, guard_of
from specloop.transport.idempotency import run_once
from specloop.transport.limits import Decision, HeaderStyle, limit_headers

Service = TypeVar("Service")
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
INTERNAL_PRINCIPAL = "specloop.principal"
"""Key of the ASGI scope under which the program itself calls its own routes; no network client can set it."""
TELEMETRY_IDS = frozenset({"trace_id", "span_id"})
"""Path parameters that are OpenTelemetry's hex ids; every other `…_id` is a UUID."""
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Door:
    """What guarded routes need of the running program; found at `app.state.door`.

    Streams that have no end of their own finish when `stopping` is set.
    """

    database: Database
    gate: Gate
    clock: Clock
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class GuardedRoute(APIRoute):
    """An APIRoute that authenticates, authorises and opens the unit of work before the handler runs."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        guard = guard_of(endpoint)
        if guard is None:
            raise TypeError(f"{path} has no guard: mark it with requires(...) or public()")
        self.guard = guard
        self._beginning = path.partition("{")[0]
        super().__init__(path, endpoint, **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As the framework says, but a path with a malformed id names nothing: `/invites/accept` is no invitation.

        Every request asks hundreds of routes, so most say no by the first letters of their path.
        """
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        match, child = super().matches(scope)
        if match is not Match.NONE and any(_is_malformed(name, value) for name, value in child["path_params"].items()):
            return Match.NONE, {}
        return match, child

    def get_route_handler(self) -> Handler:
        """The handler with the checks of the contract in front."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            principal = await admit(request, self.guard)
            _check_shape(request, is_body_read=self.body_field is not None)
            response = await self._in_transaction(request, principal, inner)
            response.headers.update(rate_headers(request))
            return response

        return handle

    async def _in_transaction(self, request: Request, principal: Principal, inner: Handler) -> Response:
        async with open_unit(request, principal) as unit:
            context = use_context(request, principal, unit)
            try:
                if request.method == "POST" and "idempotency-key" in request.headers:
                    return await run_once(context, request, self.path_format, self.guard.secret_fields, inner)
                return await inner(request)
            except RequestValidationError as error:
                if any(problem["loc"][0] == "path" for problem in error.errors()):
                    raise NotFound from error  # a malformed id must look like an unknown one
                raise


def _is_malformed(name: str, value: object) -> bool:
    """An unknown workspace is refused elsewhere, in the same words however it is written."""
    is_ours = name.endswith("_id") and name not in TELEMETRY_IDS and name != "workspace_id"
    return is_ours and parse_uuid(str(value)) is None


def _check_shape(request: Request, *, is_body_read: bool) -> None:
    if "%00" in request.url.query:
        raise ValidationFailed.of(["query"], "NUL is not allowed")
    if not is_body_read or "content-length" not in request.headers:
        return
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and request.headers["content-length"] != "0":
        raise UnsupportedMediaType("send the body as application/json")


def open_unit(request: Request, principal: Principal) -> AbstractAsyncContextManager[UnitOfWork]:
    """The unit of work that fits the request: reading for safe methods, bound to the caller's workspace."""
    door = door_of(request)
    workspace_id = principal.workspace_id or ALL_WORKSPACES
    if request.method in READING_METHODS:
        return door.database.reading(workspace_id)
    return door.database.writing(workspace_id)


def use_context(request: Request, principal: Principal, unit: UnitOfWork) -> Context:
    """Make the context of this request and leave it where `Ctx` finds it."""
    context = Context(principal, unit, door_of(request).clock, request_info(request))
    request.state.context = context
    return context


def door_of(request: Request) -> Door:
    """The program's door."""
    return request.app.state.door


async def admit(request: Request, guard: Guard) -> Principal:
    """Authenticate, enter the named workspace, check scopes, count the request.

    Raises: Unauthenticated, NotFound, Forbidden, RateLimited, WorkspaceMismatch, BadRequest.
    """
    gate = door_of(request).gate
    if guard.is_public:
        await _count(request, gate, ANONYMOUS, guard.budget)
        return ANONYMOUS
    principal = request.scope.get(INTERNAL_PRINCIPAL) or await _authenticate(request, gate, guard)
    request.state.principal = principal
    is_counted_first = dialect_of(request.url.path) is Dialect.RECORD
    if is_counted_first:  # its refusals carry the limits' headers as well (specstory.md §5)
        await _count(request, gate, principal, guard.budget)
    if guard.users_only and principal.user_id is None:
        raise Forbidden("this needs a signed-in user, not a key")
    principal = await _entered(request, gate, principal, guard)
    if guard.scopes and not any(principal.has_scope(scope) for scope in guard.scopes):
        raise Forbidden(f"this needs the scope {' or '.join(guard.scopes)}", required_scope=guard.scopes[0])
    if not is_counted_first:
        await _count(request, gate, principal, guard.budget)
    return principal


async def _authenticate(request: Request, gate: Gate, guard: Guard) -> Principal:
    try:
        return await gate.authenticate(request, guard.audiences)
    except Unauthenticated:
        if dialect_of(request.url.path) is Dialect.RECORD:
            await _count(request, gate, ANONYMOUS, guard.budget)
        raise


async def _entered(request: Request, gate: Gate, principal: Principal, guard: Guard) -> Principal:
    in_path: str | None = request.path_params.get("workspace_id")
    named = request.headers.get("x-workspace-id")
    if in_path is not None:
        workspace_id = parse_uuid(in_path)
        if workspace_id is None:
            raise NotFound("Workspace not found")
        principal = await gate.enter(principal, workspace_id)
    if named is None:
        if guard.default_workspace and principal.workspace_id is None:
            return await gate.enter_default(principal)
        if guard.workspace_header and principal.workspace_id is None:
            raise BadRequest("name the workspace in the X-Workspace-Id header")
        return principal
    header_id = parse_uuid(named)
    if header_id is None:
        raise BadRequest("X-Workspace-Id is not a UUID")
    if principal.workspace_id is not None and header_id != principal.workspace_id:
        raise WorkspaceMismatch
    chooses = guard.workspace_header or guard.default_workspace
    return await gate.enter(principal, header_id) if chooses else principal


async def _count(request: Request, gate: Gate, principal: Principal, budget: Budget) -> None:
    if budget is Budget.BYTES:
        return
    admission = await gate.admit(principal, request_info(request).client_ip, budget)
    request.state.admission = admission
    if not admission.is_allowed:
        raise RateLimited(retry_after=admission.reset_seconds)


def rate_headers(request: Request) -> dict[str, str]:
    """The counters of the decision made for this request, in the names of its dialect; empty when none was made."""
    admission: Admission | None = getattr(request.state, "admission", None)
    if admission is None:
        return {}
    style = HeaderStyle.PREFIXED if dialect_of(request.url.path) is Dialect.RECORD else HeaderStyle.STANDARD
    decision = Decision(admission.limit, admission.remaining, admission.reset_seconds)
    return limit_headers(decision, style, door_of(request).clock.now().timestamp())


def request_info(request: Request) -> RequestInfo:
    """Where the request came from."""
    return RequestInfo(
        request_id=getattr(request.state, "request_id", ""),
        client_ip=request.client.host if request.client else "",
        user_agent=request.headers.get("user-agent", "")[:300],
    )


def context_of(request: Request) -> Context:
    """The context that the guarded route opened for this request."""
    return request.state.context


def service_of(request: Request, kind: type[Service]) -> Service:
    """The program's one instance of `kind` (`app.state.services`, filled by `main`)."""
    return request.app.state.services[kind]


async def current_context(request: Request) -> Context:
    """`context_of` as a dependency: a coroutine, because the framework runs plain functions on a thread."""
    return context_of(request)


Ctx = Annotated[Context, Depends(current_context)]


def provided(kind: type[Service]) -> Callable[[Request], Coroutine[Any, Any, Service]]:
    """`service_of` as a dependency."""

    async def find(request: Request) -> Service:
        return service_of(request, kind)

    return find


def api_router(prefix: str = "", *, tags: list[str] | None = None) -> APIRouter:
    """A router whose routes are guarded and make no redirects."""
    return APIRouter(prefix=prefix, tags=list(tags or ()), route_class=GuardedRoute, redirect_slashes=False)
