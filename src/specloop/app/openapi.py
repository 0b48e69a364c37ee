"""The OpenAPI document of the whole product: security schemes and error answers around the routes' own words."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.guard import Guard, guard_of

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
        servers=[{"url": "/", "description": "This server"}],
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
    return document


def _complete(document: dict[str, Any], route: APIRoute) -> None:
    guard = guard_of(route.endpoint) or Guard()
    for method in route.methods or ():
        operation = document["paths"][route.path_format].get(method.lower())
        if operation is None:
            continue
        operation["security"] = [] if guard.is_public else [{"bearer": []}]
        if guard.scopes:
            operation["x-scopes"] = list(guard.scopes)
        is_checked = operation["responses"].pop("422", None) is not None  # the framework's own shape is not ours
        if dialect_of(route.path) is Dialect.PROBLEM:
            statuses = _statuses(route, guard, method)
            for status in {*statuses, "422"} if is_checked else statuses:
                operation["responses"][status] = _problem_response(status)


def _statuses(route: APIRoute, guard: Guard, method: str) -> set[str]:
    statuses = {"400", "422", "429"} if not guard.is_public or route.body_field else {"400"}
    if not guard.is_public:
        statuses |= {"401", "403", "404"}
    if method in {"PUT", "PATCH", "DELETE"}:
        statuses.add("412")
    if method == "POST":
        statuses.add("409")
    if route.body_field is not None:
        statuses |= {"401", "413", "415", "422", "429"}
    return statuses


def _problem_response(status: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": _MEANINGS[status], "content": {"application/problem+json": {"schema": schema}}}
