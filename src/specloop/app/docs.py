"""`/openapi.json`, and two readers of it (`/docs`, `/redoc`) with their scripts served from here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from specloop.kit import json
from specloop.transport.edge.policy import CONTENT_SECURITY_POLICY
from specloop.transport.guard import public
from specloop.transport.routing import api_router

router = api_router()

# Both readers make style elements while they run: empty ones, which they fill rule by rule, and one with a fixed text.
# The hashes of just those texts let them in; everything else stays as strict as on our own pages.
STYLE_HASHES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='",
)
_POLICY = CONTENT_SECURITY_POLICY + f"; style-src 'self' {' '.join(STYLE_HASHES)}"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Specloop API</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
{head}
</head>
<body>
<main id="document" data-openapi="/openapi.json"><h1>Specloop API</h1>
<noscript>This reader needs JavaScript. The document itself is at <a href="/openapi.json">/openapi.json</a>.</noscript>
</main>
{scripts}
</body>
</html>
"""


@router.get("/openapi.json", include_in_schema=False)
@public()
async def read_openapi(request: Request) -> Response:
    """The whole product's OpenAPI document."""
    return Response(json.dumps(request.app.openapi()), media_type="application/json")


@router.get("/docs", include_in_schema=False)
@public()
async def show_docs() -> HTMLResponse:
    """Swagger UI."""
    return _page(
        '<link rel="stylesheet" href="/static/vendor/swagger-ui/swagger-ui.css">',
        "/static/vendor/swagger-ui/swagger-ui-bundle.js",
        "/static/js/docs.js",
    )


@router.get("/redoc", include_in_schema=False)
@public()
async def show_redoc() -> HTMLResponse:
    """Redoc."""
    return _page("", "/static/vendor/redoc/redoc.standalone.js", "/static/js/redoc.js")


def _page(head: str, *scripts: str) -> HTMLResponse:
    tags = "\n".join(f'<script src="{source}"></script>' for source in scripts)
    page = _PAGE.format(head=head, scripts=tags)
    return HTMLResponse(page, headers={"Content-Security-Policy": _POLICY})
