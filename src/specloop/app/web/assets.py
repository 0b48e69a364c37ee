"""Static files: addresses that change with the content (so browsers may keep them for ever), compressed once.

It must not know any page.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

ROOT: Final = Path(__file__).parent / "static"
MOUNT: Final = "/static"
_COMPRESSIBLE: Final = frozenset({".css", ".js", ".svg", ".json", ".txt", ".webmanifest"})
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent: bytes, their gzip form where that helps, and a tag of the content."""

    body: bytes
    zipped: bytes | None
    media_type: str
    tag: str


@cache
def load(path: str) -> Asset | None:
    """The asset at `path` below the static folder, read once; None when there is no such file."""
    file = (ROOT / path).resolve()
    if not file.is_relative_to(ROOT) or not file.is_file():
        return None
    body = file.read_bytes()
    zipped = gzip.compress(body, 9, mtime=0) if file.suffix in _COMPRESSIBLE else None
    media_type = mimetypes.guess_type(file.name)[0] or "text/plain; charset=utf-8"
    return Asset(body, zipped, media_type, hashlib.sha256(body).hexdigest()[:12])


def address(path: str) -> str:
    """The address of an asset for a page.

    Raises: FileNotFoundError for a file that is not there: a broken page must not ship.
    """
    asset = load(path)
    if asset is None:
        raise FileNotFoundError(path)
    return f"{MOUNT}/{path}?v={asset.tag}"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application to mount at `/static`."""
    await respond(Request(scope, receive))(scope, receive, send)


def respond(request: Request) -> Response:
    """The answer to one request for a static file: GET and HEAD, conditional, compressed when the client reads it."""
    if request.method not in {"GET", "HEAD"}:
        return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
    # a mount leaves the full path in `path` and its own part in `root_path`
    path = request.scope["path"].removeprefix(request.scope.get("root_path", "")).removeprefix(MOUNT).lstrip("/")
    # load() caches every answer: only names that exist may reach it, so that probing cannot fill the memory
    asset = load(path) if path in _names() else None
    if asset is None:
        return PlainTextResponse("Not Found", 404)
    kept = "public, max-age=31536000, immutable" if request.query_params.get("v") == asset.tag else "no-cache"
    headers = {"ETag": f'"{asset.tag}"', "Cache-Control": kept, "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == f'"{asset.tag}"':
        return Response(status_code=304, headers=headers)
    if asset.zipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.zipped, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)


@cache
def _names() -> frozenset[str]:
    return frozenset(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*") if file.is_file())
