"""Turns results and failures into GraphQL answers; unknown errors are masked with an incident id.

Errors of the request itself have two shapes at once, the one that SpecStory's documents promise and GraphQL's own
(specstory.md §2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import ExecutionResult, GraphQLError, ValueNode
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.graphql.documents import BadQuery
from specloop.app.graphql.negotiation import media_type_of, reads_only_json
from specloop.errors import SpecloopError
from specloop.kit import json
from specloop.kit.ids import new_id
from specloop.kit.log import get_logger

log = get_logger(__name__)

INVALID: Final = "Invalid GraphQL query or variables"
INTERNAL: Final = "INTERNAL_SERVER_ERROR"
_CODES: Final[Mapping[int, str]] = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    413: "VALIDATION_ERROR",
    415: "VALIDATION_ERROR",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
}
_INNER_MEMBERS: Final = frozenset({"headers", "errors"})


def answer(request: Request, result: ExecutionResult) -> Response:
    """The answer to an operation that was executed."""
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [execution_error(error) for error in result.errors]
    return _json(request, body, 200)


def refusal(request: Request, error: SpecloopError) -> Response:
    """The answer to a request that was not executed."""
    errors = [query_error(one) for one in error.errors] if isinstance(error, BadQuery) else [known_error(error)]
    status = 200 if isinstance(error, BadQuery) and request.method == "POST" and reads_only_json(request) else 400
    return _json(request, {"success": False, "error": INVALID, "errors": errors}, status)


def query_error(error: GraphQLError) -> dict[str, Any]:
    """What is wrong with a document or its variables, and where."""
    return {**_placed(error, error.message), "extensions": {"code": "VALIDATION_ERROR"}}


def known_error(error: SpecloopError) -> dict[str, Any]:
    """One of our own errors."""
    extra = {name: value for name, value in error.members.items() if name not in _INNER_MEMBERS}
    return {"message": error.detail, "extensions": {"code": _CODES.get(error.status, INTERNAL), **extra}}


def execution_error(error: GraphQLError) -> dict[str, Any]:
    """What went wrong in a field."""
    cause = error.original_error
    if isinstance(cause, SpecloopError):
        return {**_placed(error, cause.detail), "extensions": known_error(cause)["extensions"]}
    if _is_about_a_value(error):
        return query_error(error)
    incident = new_id()
    log.error("graphql.field_failed", incident_id=incident, path=_path(error), exc_info=cause or error)
    message = f"Something went wrong on the server. Incident {incident}"
    return {**_placed(error, message), "extensions": {"code": INTERNAL, "incidentId": incident}}


def _is_about_a_value(error: GraphQLError) -> bool:
    """Whether graphql-core refuses what the caller sent, such as null for a variable that has a default.

    It says so with the place of the value. What cannot be put into an answer, a fault of ours, it places at the field.
    """
    is_its_own = error.original_error is None or isinstance(error.original_error, GraphQLError)
    return is_its_own and bool(error.nodes) and all(isinstance(node, ValueNode) for node in error.nodes or ())


def _placed(error: GraphQLError, message: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": message}
    if error.locations:
        shown["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    if error.path is not None:
        shown["path"] = _path(error)
    return shown


def _path(error: GraphQLError) -> Sequence[str | int]:
    return list(error.path or ())


def _json(request: Request, body: Mapping[str, Any], status: int) -> Response:
    kind = f"{media_type_of(request)}; charset=utf-8"
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return Response(json.dumps(body), status_code=status, media_type=kind, headers=headers)
