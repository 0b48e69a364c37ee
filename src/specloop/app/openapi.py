"""The OpenAPI document of the whole product: security schemes and error answers around the routes' own words."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from specloop.app.bounds import bound
from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.guard import Guard, guard_of
from specloop.transport.routing import TELEMETRY_IDS
from specloop.transport.schema import identifier, shared_schemas

DESCRIPTION = (
    "Specify, run, record and improve software built with AI agents. Errors are problem documents (RFC 9457); "
    "lists come as pages; every answer names its request in `X-Request-Id`."
)

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request id"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "code"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}
_MEANINGS = {
    "400": "A rule or a state forbids this",
    "401": "No valid credential",
    "403": "The credential lacks the scope",
    "404": "It does not exist, or belongs to somebody else",
    "409": "The Idempotency-Key was used with another body",
    "412": "The ETag does not match",
    "413": "The body is too large",
    "415": "The content type is not supported",
    "422": "A field is missing or wrong",
    "429": "Too many requests",
    "503": "The server cannot take this now",
    "500": "Something went wrong on the server; the incident id finds it in the log",
}
_PATH_PARAMETER = re.compile(r"{([^}]+)}")
_SECONDS = {"type": "integer", "format": "int32", "minimum": 0, "maximum": 2**31 - 1}
_RETRY_AFTER = {"description": "Seconds to wait", "schema": _SECONDS}
_CORS_HEADER = {
    "Access-Control-Allow-Origin": {
        "description": "The caller's origin, where the operator allows it",
        "schema": {"type": "string", "format": "uri", "maxLength": 300},
    }
}
_OTLP_STATUSES = ("400", "401", "403", "413", "415", "429", "500", "503")
_RATE_HEADERS = {
    name: {"description": text, "schema": _SECONDS}
    for name, text in {
        "RateLimit-Limit": "Requests per window",
        "RateLimit-Remaining": "Requests left in the window",
        "RateLimit-Reset": "Seconds until the window ends",
    }.items()
}


def product_document(app: FastAPI) -> dict[str, Any]:
    """The document, built once per application."""
    if app.openapi_schema is None:
        app.openapi_schema = _build(app)
    return app.openapi_schema


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=DESCRIPTION,
        routes=app.routes,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        servers=[{"url": "/", "description": "This server (production or local)", "x-internal": False}],
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A sign-in token (JWT) or a key `sk_live_…`"}
    }
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            _complete(document, route)
    components["schemas"].update({schema["title"]: schema for schema in shared_schemas().values()})
    for schema in components["schemas"].values():
        bound(schema)
    return document


def _complete(document: dict[str, Any], route: APIRoute) -> None:
    guard = guard_of(route.endpoint) or Guard()
    for method in route.methods or ():
        operation = document["paths"][route.path_format].get(method.lower())
        if operation is None:
            continue
        _complete_parameters(operation, route.path_format)
        operation["security"] = [] if guard.is_public else [{"bearer": []}]
        if guard.scopes:
            operation["x-scopes"] = list(guard.scopes)
        is_checked = operation["responses"].pop("422", None) is not None  # the framework's own shape is not ours
        if dialect_of(route.path) is Dialect.PROBLEM:
            own = {status for status in operation["responses"] if status >= "400"}
            statuses = own | _statuses(route, guard, method)
            for status in sorted({*statuses, "422"} if is_checked else statuses):
                operation["responses"][status] = _problem_response(status)
        elif dialect_of(route.path) is Dialect.RECORD:
            own = {status for status in operation["responses"] if status >= "400"}
            statuses = own | _statuses(route, guard, method) - {"412", "422"}
            operation["responses"].update({status: _envelope_response(status) for status in sorted(statuses)})
        elif dialect_of(route.path) is Dialect.OTLP:
            operation["responses"].update({status: _rpc_response(status) for status in _OTLP_STATUSES})
        _complete_responses(operation)


def _complete_parameters(operation: dict[str, Any], path: str) -> None:
    parameters: list[dict[str, Any]] = operation.setdefault("parameters", [])
    known = {one["name"] for one in parameters if one["in"] == "path"}
    for name in _PATH_PARAMETER.findall(path):
        if name not in known:
            parameters.insert(0, {"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    for one in parameters:
        one["schema"] = _without_null(one["schema"])
        if one["in"] == "path" and one["name"].endswith("_id") and one["name"] not in TELEMETRY_IDS:
            identifier(one["schema"])
        bound(one["schema"])
    for media in operation.get("requestBody", {}).get("content", {}).values():
        bound(media.get("schema"))


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; it cannot be null."""
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) != 1:
        return schema
    return {**{name: value for name, value in schema.items() if name not in {"anyOf", "default"}}, **choices[0]}


def _complete_responses(operation: dict[str, Any]) -> None:
    for status, answer in operation["responses"].items():
        extra = {"Retry-After": _RETRY_AFTER} if status in {"429", "503"} else {}
        answer["headers"] = {**answer.get("headers", {}), **_RATE_HEADERS, **_CORS_HEADER, **extra}
        for media in answer.get("content", {}).values():
            bound(media.get("schema"))


def _statuses(route: APIRoute, guard: Guard, method: str) -> set[str]:
    statuses = {"400", "422", "429", "500"}
    if not guard.is_public:
        statuses |= {"401", "403", "404"}
    if method in {"PUT", "PATCH", "DELETE"}:
        statuses.add("412")
    if method == "POST":
        statuses.add("409")
    if route.body_field is not None:
        statuses |= {"401", "413", "415", "422", "429"}
    return statuses


def _rpc_response(status: str) -> dict[str, Any]:
    """`google.rpc.Status` in the request's encoding (OTLP specification, failures)."""
    members: dict[str, Any] = {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {}},
    }
    content: dict[str, Any] = {
        "application/json": {"schema": {"type": "object", "properties": members}},
        "application/x-protobuf": {"schema": {"type": "string", "format": "binary"}},
    }
    return {"description": _MEANINGS[status], "content": content}


def _envelope_response(status: str) -> dict[str, Any]:
    """SpecStory's envelope (specstory.md §1.0)."""
    members = {"success": {"type": "boolean", "const": False}, "error": {"type": "string"}}
    schema = {"type": "object", "required": ["success", "error"], "properties": members}
    return {"description": _MEANINGS.get(status, "Refused"), "content": {"application/json": {"schema": schema}}}


def _problem_response(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _MEANINGS[status], "content": {"application/problem+json": {"schema": schema}}}
