"""Router 19: OTLP/HTTP trace ingestion in protobuf and JSON (spectral.md §6.1), at its own path and two aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from specloop.errors import BadRequest, UnsupportedMediaType
from specloop.kit.context import Principal
from specloop.record.traces.ingest.decode import Encoding
from specloop.record.traces.service.intake import Receipt, TraceIntake
from specloop.transport.guard import requires
from specloop.transport.routing import GuardedRoute, Handler, provided

PATHS = ("/otel/v1/traces", "/v1/traces", "/api/public/otel/v1/traces")
Intake = Annotated[TraceIntake, Depends(provided(TraceIntake))]


class IntakeRoute(GuardedRoute):
    """A guarded route without a transaction of its own.

    The journal commits many requests at once; a transaction held by each of them would keep it waiting for ever.
    """

    async def _in_transaction(self, request: Request, principal: Principal, inner: Handler) -> Response:
        request.state.principal = principal
        return await inner(request)


router = APIRouter(route_class=IntakeRoute, redirect_slashes=False, tags=["OpenTelemetry"])


@requires("write:traces", workspace_header=True)
async def receive_traces(request: Request, intake: Intake) -> Response:
    """200 means: the accepted spans are on disk. Refused spans are counted in `partial_success`."""
    principal: Principal = request.state.principal
    encoding = _encoding(request)
    if principal.workspace_id is None:
        raise BadRequest("name the workspace in the X-Workspace-Id header")
    receipt = await intake.receive(principal, principal.workspace_id, await request.body(), encoding)
    return _answer(receipt, encoding)


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
