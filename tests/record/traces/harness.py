"""The trace routes as a real application: real stores, guards, renderers; a gate that knows callers by their token."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from httpx import ASGITransport, AsyncClient, Response
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from specloop.app.errors import render, translate
from specloop.db.blobs import BlobStore
from specloop.db.database import Database
from specloop.db.telemetry import TelemetryStore
from specloop.errors import NotFound, SpecloopError, Unauthenticated
from specloop.kit.clock import SystemClock
from specloop.kit.context import CredentialKind, Principal
from specloop.record.traces import TraceIntake
from specloop.record.traces.assembly import assemble
from specloop.transport.guard import Admission
from specloop.transport.routing import Door

ACCOUNT = "00000000-0000-7000-8000-00000000000a"
OURS = "00000000-0000-7000-8000-000000000001"
THEIRS = "00000000-0000-7000-8000-000000000002"
EVERYTHING = frozenset({"read:workspace", "write:traces"})
PROTOBUF = "application/x-protobuf"
VISIBLE_SECONDS_MAX = 20.0


def key_of(workspace_id: str, *scopes: str) -> Principal:
    """An API key of a workspace."""
    return Principal(
        account_id=ACCOUNT,
        kind=CredentialKind.API_KEY,
        key_id="k",
        workspace_id=workspace_id,
        scopes=frozenset(scopes) or EVERYTHING,
    )


CALLERS = {
    "owner": Principal(
        account_id=ACCOUNT,
        kind=CredentialKind.SESSION,
        user_id="u",
        workspace_id=OURS,
        scopes=EVERYTHING | {"write:workspace", "admin:workspace"},
    ),
    "ours": key_of(OURS),
    "sk_live_ours": key_of(OURS),
    "theirs": key_of(THEIRS),
    "reader": key_of(OURS, "read:workspace"),
    "writer": key_of(OURS, "write:traces"),
    "user": Principal(account_id=ACCOUNT, kind=CredentialKind.SESSION, user_id="u", scopes=EVERYTHING),
}


class Gate:
    """`Authorization: Bearer <name>` names one of CALLERS; a user may enter OURS."""

    async def authenticate(self, connection: HTTPConnection, audiences: frozenset[str] = frozenset()) -> Principal:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in CALLERS:
            raise Unauthenticated
        return CALLERS[token]

    async def enter(self, principal: Principal, workspace_id: str) -> Principal:
        if (principal.workspace_id or OURS) != workspace_id:
            raise NotFound("Workspace not found")
        return replace(principal, workspace_id=workspace_id)

    async def enter_default(self, principal: Principal) -> Principal:
        return replace(principal, workspace_id=OURS)

    async def admit(self, principal: Principal, client_ip: str, budget: object = None) -> Admission:
        return Admission(1_000, 999, 60)


def build_app(database: Database, telemetry: TelemetryStore, intake: TraceIntake) -> FastAPI:
    """The application of the trace routes."""
    app = FastAPI(redirect_slashes=False)
    app.state.door = Door(database, Gate(), SystemClock())
    traces = assemble(telemetry, BlobStore.open(f"file://{tempfile.mkdtemp()}"), intake)
    app.state.services = traces.services
    for router in traces.routers:
        app.include_router(router)

    async def answer(request: Request, error: Exception) -> Any:
        return render(translate(error), request)

    for kind in (SpecloopError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer)
    return app


@dataclass
class Server:
    """The running program of a test, and a client."""

    app: FastAPI
    intake: TraceIntake
    database: Database
    telemetry: TelemetryStore
    http: AsyncClient

    async def send(self, message: ExportTraceServiceRequest | bytes, caller: str = "ours", **headers: str) -> Response:
        """POST protobuf to the OTLP endpoint."""
        body = message if isinstance(message, bytes) else message.SerializeToString()
        return await self.http.post(
            "/otel/v1/traces",
            content=body,
            headers={"content-type": PROTOBUF, "authorization": f"Bearer {caller}", **headers},
        )

    async def get(self, path: str, caller: str = "ours", workspace: str | None = None, **query: Any) -> Response:
        """GET below `…/traces` of the caller's workspace, or an absolute path."""
        workspace = workspace or (THEIRS if caller == "theirs" else OURS)
        url = path if path.startswith("/otel") else f"/api/v1/workspaces/{workspace}/traces{path}"
        return await self.http.get(url, params=query, headers={"authorization": f"Bearer {caller}"})

    async def wait_for_spans(self, trace_id: str, count: int, caller: str = "ours") -> dict[str, Any]:
        """The trace once it has `count` spans."""

        async def ready() -> dict[str, Any] | None:
            response = await self.get(f"/{trace_id}", caller)
            if response.status_code == 200 and response.json()["span_count"] >= count:
                return response.json()
            return None

        return await eventually(ready)


async def eventually(probe: Callable[[], Awaitable[Any]]) -> Any:
    """The first true answer of `probe`."""
    deadline = time.monotonic() + VISIBLE_SECONDS_MAX
    while True:
        found = await probe()
        if found:
            return found
        assert time.monotonic() < deadline, "nothing became visible in time"
        await asyncio.sleep(0.02)


@asynccontextmanager
async def serving(database: Database, telemetry: TelemetryStore, **options: Any) -> AsyncGenerator[Server]:
    """A server with its background work running."""
    intake = TraceIntake(database, telemetry, SystemClock(), **options)
    app = build_app(database, telemetry, intake)
    intake.start()
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as http:
        yield Server(app, intake, database, telemetry, http)
    await intake.stop()


def value_of(value: Any) -> AnyValue:
    """A Python value as OTLP would carry it."""
    match value:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
        case list():
            return AnyValue(array_value=ArrayValue(values=[value_of(item) for item in value]))  # pyright: ignore[reportUnknownVariableType]
        case dict():
            return AnyValue(kvlist_value=KeyValueList(values=attributes_of(value)))  # pyright: ignore[reportUnknownArgumentType]
        case _:
            return AnyValue(bytes_value=value)


def attributes_of(values: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes of a span, event, link or resource."""
    return [KeyValue(key=key, value=value_of(value)) for key, value in values.items()]


def span_of(
    number: int = 1,
    *,
    trace: int = 1,
    parent: int | None = None,
    name: str = "chat small-model",
    attributes: Mapping[str, Any] | None = None,
    start_ns: int | None = None,
    duration_ns: int = 5_000_000,
    **more: Any,
) -> Span:
    """A span whose ids are made from small numbers."""
    start = start_ns if start_ns is not None else time.time_ns() - 60_000_000_000 + number
    return Span(
        trace_id=trace.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        parent_span_id=b"" if parent is None else parent.to_bytes(8, "big"),
        name=name,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=start,
        end_time_unix_nano=start + duration_ns,
        attributes=attributes_of(attributes or {}),
        **more,
    )


def request_of(*spans: Span, resource: Mapping[str, Any] | None = None) -> ExportTraceServiceRequest:
    """A request with one resource and one scope."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes_of(resource or {"service.name": "bench"}))
    scope = group.scope_spans.add()
    scope.scope.name = "tests"
    scope.spans.extend(spans)
    return request


def hex_trace(trace: int) -> str:
    """The wire id of `span_of(trace=…)`."""
    return trace.to_bytes(16, "big").hex()


def hex_span(number: int) -> str:
    """The wire id of `span_of(number)`."""
    return number.to_bytes(8, "big").hex()
