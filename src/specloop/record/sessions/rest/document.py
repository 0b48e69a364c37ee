"""`GET /api/v1/openapi`: the OpenAPI document of the record stage alone (ARCHITECTURE, where the contracts meet)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from specloop.kit import json
from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.guard import public
from specloop.transport.specstory import record_router

router = record_router("/api/v1/openapi")


@router.get("", include_in_schema=False)
@public()
async def read_document(request: Request) -> Response:
    """The routes that speak SpecStory's dialect, out of the document of the whole product."""
    whole: dict[str, Any] = request.app.openapi()
    paths = {path: item for path, item in whole["paths"].items() if dialect_of(path) is Dialect.RECORD}
    schemas = whole.get("components", {}).get("schemas", {})
    components = {**whole.get("components", {}), "schemas": _used(paths, schemas)}
    info = {**whole["info"], "title": "Specloop: recorded sessions"}
    return Response(
        json.dumps({**whole, "info": info, "paths": paths, "components": components}), media_type="application/json"
    )


def _used(paths: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    """The schemas that the paths name, directly or through others."""
    used: dict[str, Any] = {}
    waiting = _references(paths)
    while waiting:
        name = waiting.pop()
        if name in schemas and name not in used:
            used[name] = schemas[name]
            waiting |= _references(schemas[name])
    return used


def _references(value: Any) -> set[str]:
    text = json.dumps(value).decode()
    return {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
