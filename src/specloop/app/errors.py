"""One error, many dialects: turns a SpecloopError into the answer that the route's contract promises.

Unknown exceptions never reach a caller: they become `Internal` with an incident id that the log explains.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, assert_never

from fastapi.exceptions import RequestValidationError
from google.protobuf import json_format
from google.rpc import code_pb2, status_pb2
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.graphql.negotiation import is_page_wanted
from specloop.app.specstory_errors import envelope
from specloop.app.web import error_page
from specloop.errors import (
    BadRequest,
    Internal,
    MethodNotAllowed,
    NotFound,
    SpecloopError,
    Unauthenticated,
    ValidationFailed,
)
from specloop.kit import json
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger
from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.routing import rate_headers

log = get_logger(__name__)

PROBLEM_BASE = "https://spectral.dev/errors/"
_RPC_CODES = {
    400: code_pb2.INVALID_ARGUMENT,
    401: code_pb2.UNAUTHENTICATED,
    403: code_pb2.PERMISSION_DENIED,
    404: code_pb2.NOT_FOUND,
    413: code_pb2.INVALID_ARGUMENT,
    415: code_pb2.INVALID_ARGUMENT,
    422: code_pb2.INVALID_ARGUMENT,
    429: code_pb2.RESOURCE_EXHAUSTED,
    503: code_pb2.UNAVAILABLE,
}


def render(error: SpecloopError, request: Request) -> Response:
    """The answer to `error` in the dialect of the request's path."""
    dialect = Dialect.PAGE if is_page_wanted(request) else dialect_of(request.url.path)
    response = _renderer(dialect)(error, request)
    response.headers.update(_common_headers(error, dialect))
    response.headers.update(rate_headers(request))
    return response


def _renderer(dialect: Dialect) -> Callable[[SpecloopError, Request], Response]:
    match dialect:
        case Dialect.PROBLEM:
            return problem
        case Dialect.OTLP:
            return rpc_status
        case Dialect.RECORD:
            return envelope
        case Dialect.PAGE:
            return error_page.render
        case _:
            assert_never(dialect)


def problem(error: SpecloopError, request: Request) -> Response:
    """RFC 9457, as spectral.md §1.0 spells it."""
    members = {name: value for name, value in error.members.items() if name not in {"retry_after", "headers"}}
    body: dict[str, Any] = {
        "type": PROBLEM_BASE + error.code,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": getattr(request.state, "request_id", ""),
        **members,
    }
    return Response(json.dumps(body), status_code=error.status, media_type="application/problem+json")


def rpc_status(error: SpecloopError, request: Request) -> Response:
    """`google.rpc.Status` in the request's own encoding (OTLP specification, failures)."""
    status = status_pb2.Status(code=_RPC_CODES.get(error.status, code_pb2.INTERNAL), message=error.detail)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        text = json_format.MessageToJson(status, indent=None)
        return Response(text, status_code=error.status, media_type="application/json")
    return Response(status.SerializeToString(), status_code=error.status, media_type="application/x-protobuf")


def _common_headers(error: SpecloopError, dialect: Dialect) -> dict[str, str]:
    headers: dict[str, str] = {"Cache-Control": "no-store"}
    if isinstance(error, Unauthenticated) and dialect is not Dialect.PAGE:
        headers["WWW-Authenticate"] = 'Bearer realm="specloop"'
    if "retry_after" in error.members:
        headers["Retry-After"] = str(max(1, int(error.members["retry_after"])))
    return {**headers, **error.members.get("headers", {})}


def translate(error: Exception) -> SpecloopError:
    """The SpecloopError that stands for a framework error; `Internal` for anything unexpected.

    An inner failure of ours, such as a refused statement, is as unexpected: its words are for the log.
    """
    if isinstance(error, SpecloopError) and (error.status != 500 or isinstance(error, Internal)):
        return error
    if isinstance(error, RequestValidationError):
        return _validation(error)
    if isinstance(error, HTTPException):
        return _from_http(error)
    return masked(error)


def masked(error: Exception) -> Internal:
    """An error without details for the caller, with an incident id for the operator."""
    incident = new_id()
    log.error("request.crashed", incident_id=incident, exc_info=error)
    return Internal(f"Something went wrong on the server. Incident {incident}", incident_id=incident)


def _validation(error: RequestValidationError) -> ValidationFailed:
    problems = [
        {"loc": list(problem["loc"]), "msg": problem["msg"], "code": problem["type"]} for problem in error.errors()
    ]
    first = problems[0]
    place = ".".join(str(part) for part in first["loc"])
    return ValidationFailed(f"{place}: {first['msg']}", errors=problems)


def _from_http(error: HTTPException) -> SpecloopError:
    headers = dict(error.headers or {})
    match error.status_code:
        case 404:
            return NotFound()
        case 405:
            return MethodNotAllowed(headers=headers)
        case status if status < 500:
            return BadRequest(str(error.detail), headers=headers)
        case _:
            return Internal(HTTPStatus(error.status_code).phrase)
