"""Downloads of a session: markdown with or without thinking and tools, and the documents as they were sent."""

from __future__ import annotations

import re
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import page_router
from specloop.app.web.recorded.places import SESSION, shows
from specloop.app.web.recorded.reader import Reader, SessionHere
from specloop.db.context import Context
from specloop.errors import BadRequest, NotFound
from specloop.record.sessions import DocumentKind, Session, SessionReader
from specloop.record.sessions.service.uploads import off_loop
from specloop.record.sessions.transcript import RenderOptions, render_markdown
from specloop.transport.routing import Ctx

router = page_router()
_DOCUMENTS = {
    "raw": (DocumentKind.RAW, "application/octet-stream", "raw.txt"),
    "data": (DocumentKind.SESSION_DATA, "application/json", "json"),
}
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@shows(router, SESSION + "/download")
async def download(ctx: Ctx, request: Request, reader: Reader, session: SessionHere) -> Response:
    """`?form=markdown|raw|data`; of markdown `?without=thinking` and `?without=tools` leave these out."""
    form = request.query_params.get("form", "markdown")
    if form == "markdown":
        body = await _markdown(ctx, reader, session, request.query_params.getlist("without"))
        return attachment(body, "text/markdown; charset=utf-8", file_name(session, "md"))
    if form not in _DOCUMENTS:
        raise BadRequest("form must be markdown, raw or data")
    kind, media_type, suffix = _DOCUMENTS[form]
    body = await reader.document(ctx, session, kind)
    if body is None:
        raise NotFound("The client did not send this document")
    return attachment(body, media_type, file_name(session, suffix))


async def _markdown(ctx: Context, reader: SessionReader, session: Session, without: Sequence[str]) -> bytes:
    """What was sent when nothing is left out, else the session written anew."""
    if without:
        transcript = (await reader.transcript(ctx, session)).transcript
        if transcript is not None:
            options = RenderOptions(thinking="thinking" not in without, tools="tools" not in without)
            return (await off_loop(session.markdown_size, lambda: render_markdown(transcript, options))).encode()
    return await reader.document(ctx, session, DocumentKind.MARKDOWN) or b""


def attachment(body: bytes, media_type: str, name: str) -> Response:
    """A file to be saved: no browser may show it as a page of ours."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, headers=headers, media_type=media_type)


def file_name(session: Session, suffix: str) -> str:
    """A name that every file system takes."""
    moment = session.started_at or session.active_at
    stem = _UNSAFE.sub("-", session.slug or session.display_title)[:60].strip("-.") or "session"
    return f"{moment:%Y-%m-%d_%H-%M-%SZ}-{stem}.{suffix}"
