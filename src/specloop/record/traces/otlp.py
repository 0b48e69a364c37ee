"""Router 19: OTLP/HTTP trace ingestion in protobuf and JSON (spectral.md §6.1), at its own path and two aliases."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf import json_format
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest as BadRequestDetail
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.datastructures import Headers

from specloop.db.context import Context
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import BadRequest, UnsupportedMediaType
from specloop.kit.context import Principal
from specloop.record.traces.errors import MalformedTraces
from specloop.record.traces.ingest.decode import Encoding
from specloop.record.traces.service.intake import Receipt, TraceIntake
from specloop.transport.guard import Budget, requires
from specloop.transport.idempotency import run_then_keep
from specloop.transport.routing import GuardedRoute, Handler, door_of, provided

PATHS = ("/otel/v1/traces", "/v1/traces", "/api/public/otel/v1/traces")
Intake = Annotated[TraceIntake, Depends(provided(TraceIntake))]


BASIC_PATH = "/api/public/otel/"
KEY_PREFIX = "sk_live_"


class IntakeRoute(GuardedRoute):
    """A guarded route without a transaction of its own.

    The journal commits many requests at once; a transaction held by each of them would keep it waiting for ever.
    """

    def get_route_handler(self) -> Handler:
        """Senders that were made for Langfuse sign in with `public:secret`; our key may stand in either place."""
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.url.path.startswith(BASIC_PATH):
                _accept_basic(request)
            return await inner(request)

        return handle

    async def _in_transaction(self, request: Request, principal: Principal, inner: Handler) -> Response:
        request.state.principal = principal
        if "idempotency-key" not in request.headers or request.url.path in PATHS:
            return await inner(request)

        @asynccontextmanager
        async def opened(*, is_writing: bool) -> AsyncGenerator[Context]:
            door, workspace_id = door_of(request), principal.workspace_id or ALL_WORKSPACES
            async with (door.database.writing if is_writing else door.database.reading)(workspace_id) as unit:
                yield Context(principal, unit, door.clock)

        return await run_then_keep(opened, request, self.path_format, inner)


router = APIRouter(route_class=IntakeRoute, redirect_slashes=False, tags=["OpenTelemetry"])


@requires("write:traces", workspace_header=True, budget=Budget.BYTES)
async def receive_traces(request: Request, intake: Intake) -> Response:
    """200 means: the accepted spans are on disk. Refused spans are counted in `partial_success`."""
    principal: Principal = request.state.principal
    encoding = _encoding(request)
    if principal.workspace_id is None:
        raise BadRequest("name the workspace in the X-Workspace-Id header")
    try:
        receipt = await intake.receive(principal, principal.workspace_id, await request.body(), encoding)
    except MalformedTraces as error:
        return _refusal(error, encoding)
    return _answer(receipt, encoding)


def _accept_basic(request: Request) -> None:
    """Turn `Authorization: Basic` with one of our keys in it into the Bearer form that the gate reads."""
    # Not `request.headers`: that would be kept, and the gate would read the old form.
    scheme, _, text = Headers(scope=request.scope).get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        pair = base64.b64decode(text.strip(), validate=True).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return
    username, _, password = pair.partition(":")
    key = next((part for part in (password, username) if part.startswith(KEY_PREFIX)), None)
    if key is not None:
        others = [(name, value) for name, value in request.scope["headers"] if name != b"authorization"]
        request.scope["headers"] = [*others, (b"authorization", f"Bearer {key}".encode())]


def _refusal(error: MalformedTraces, encoding: Encoding) -> Response:
    """400 with a Status in the request's encoding that says in a BadRequest detail what is wrong."""
    status = Status(code=Code.INVALID_ARGUMENT, message=error.detail)
    violation = BadRequestDetail.FieldViolation(field="body", description=error.detail)
    status.details.add().Pack(BadRequestDetail(field_violations=[violation]))
    if encoding is Encoding.JSON:
        return Response(json_format.MessageToJson(status, indent=None), error.status, media_type=encoding.value)
    return Response(status.SerializeToString(), error.status, media_type=encoding.value)


def _encoding(request: Request) -> Encoding:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        return Encoding(media_type)
    except ValueError as error:
        raise UnsupportedMediaType("send application/x-protobuf or application/json") from error


def _answer(receipt: Receipt, encoding: Encoding) -> Response:
    message = ExportTraceServiceResponse()
    if receipt.rejected_spans:
        message.partial_success.rejected_spans = receipt.rejected_spans
        message.partial_success.error_message = receipt.message
    if encoding is Encoding.JSON:
        return Response(json_format.MessageToJson(message, indent=None), media_type=encoding.value)
    return Response(message.SerializeToString(), media_type=encoding.value)


_EXPORT_BODY = {
    "required": True,
    "content": {
        Encoding.PROTOBUF.value: {"schema": {"type": "string", "format": "binary"}},
        Encoding.JSON.value: {"schema": {"type": "object"}},
    },
}
for _path in PATHS:
    router.add_api_route(
        _path,
        receive_traces,
        methods=["POST"],
        summary="Receive traces (OTLP/HTTP)",
        include_in_schema=_path == PATHS[0],
        openapi_extra={"requestBody": _EXPORT_BODY},
    )
