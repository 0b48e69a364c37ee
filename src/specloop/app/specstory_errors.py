"""Errors in SpecStory's dialect: `{"success":false,"error":"text"}`, where `error` is always a string.

Its clients decode a string there and nothing else. The texts are the contract's where it has one (specstory.md §1.0).
"""

from __future__ import annotations

import re
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from specloop.errors import (
    Forbidden,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    RateLimited,
    SpecloopError,
    Unauthenticated,
    UnsupportedMediaType,
    ValidationFailed,
)
from specloop.identity.tokens import BadToken, TokenExpired, UnknownSigningKey
from specloop.kit import json

GRAPHQL_PATH = "/api/v1/graphql"
_NO_ACCESS = "Insufficient permissions to access this project"
_PROJECT = r"/api/v1/projects/[^/]+"
_FORBIDDEN = (
    (re.compile(rf"DELETE {_PROJECT}/sessions/[^/]+"), "Insufficient permissions to delete this session"),
    (re.compile(rf"DELETE {_PROJECT}"), "You do not have permission to delete this project"),
    (re.compile(rf"(?:PATCH|PUT|POST) {_PROJECT}(?:/.+)?"), "You do not have permission to update this project"),
)
_STATUSES = {415: 400, 422: 400}
"""Statuses that the dialect does not know, and what it says instead."""
_GRAPHQL_CODES = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    413: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
}


def envelope(error: SpecloopError, request: Request) -> Response:
    """The answer to `error`; on the GraphQL route it also has the form that GraphQL clients read (§2)."""
    status = _STATUSES.get(error.status, error.status)
    text = error_text(error, request.url.path, request.method)
    body: dict[str, Any] = {"success": False, "error": text}
    if "data" in error.members:
        body["data"] = error.members["data"]
    if request.url.path == GRAPHQL_PATH:
        code = _GRAPHQL_CODES.get(status, "INTERNAL_SERVER_ERROR")
        body["errors"] = [{"message": text, "extensions": {"code": code}}]
    return Response(json.dumps(body), status_code=status, media_type="application/json")


def error_text(error: SpecloopError, path: str, method: str = "GET") -> str:
    """The contract's words where it has some for the kind of error, else the error's own."""
    match error:
        case BadToken() | TokenExpired() | UnknownSigningKey():
            return "Invalid session token"
        case ValidationFailed():
            return _validation_text(error)
        case MethodNotAllowed():
            return "Method not allowed"
        case PayloadTooLarge():
            return f"413 Failure - size limit exceeded for {path}"
        case RateLimited():
            return f"Rate limit exceeded. Try again in {error.members.get('retry_after', 60)} seconds."
        case UnsupportedMediaType():
            return error.detail
        case _:
            return _default_text(error, path, method)


def _default_text(error: SpecloopError, path: str, method: str) -> str:
    is_default = error.detail == error.default_detail()
    if type(error) is Unauthenticated:
        return "Invalid or missing authentication token" if is_default else "Invalid session token"
    if type(error) is NotFound and is_default:
        return "Not found"
    if type(error) is Forbidden and (is_default or "required_scope" in error.members):
        return next((text for action, text in _FORBIDDEN if action.fullmatch(f"{method} {path}")), _NO_ACCESS)
    return error.detail


def _validation_text(error: ValidationFailed) -> str:
    problems = cast("list[dict[str, Any]]", error.members.get("errors", []))
    if not problems:
        return error.detail
    first = problems[0]
    if first["code"] == "json_invalid":
        return "Invalid JSON in request body"
    place = ".".join(str(part) for part in first["loc"][1:])
    if first["code"] == "missing":
        return f"Missing required field: {place}" if place else "Invalid JSON in request body"
    return f"Invalid value for {place}: {first['msg']}" if place else f"Invalid request body: {first['msg']}"
