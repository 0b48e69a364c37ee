"""Whole sessions over HTTP: the upload, and reading them as JSON, markdown, session data or raw bytes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.db.context import Context
from specloop.kit.clock import format_time
from specloop.record.sessions.errors import DocumentMissing
from specloop.record.sessions.model import DocumentKind, Session
from specloop.record.sessions.rest.answers import ProjectPath, Reader, SessionPath, ThisSession, enveloped, readable
from specloop.record.sessions.rest.conditional import cache_headers, not_modified, version_of
from specloop.record.sessions.rest.negotiation import Representation, negotiate
from specloop.record.sessions.schema import Done, Envelope, OneDetail, StoredBody, detail_body
from specloop.record.sessions.service.reading import SessionReader
from specloop.record.sessions.service.removal import SessionRemoval
from specloop.record.sessions.service.uploads import SessionUploads, off_loop
from specloop.record.sessions.uploading import read_upload
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import reads, record_router, writes

router = record_router("/api/v1/projects/{project}/sessions/{session}")
_DOCUMENTS = {
    Representation.MARKDOWN: (DocumentKind.MARKDOWN, "text/markdown; charset=utf-8"),
    Representation.SESSION_DATA: (DocumentKind.SESSION_DATA, "application/json"),
    Representation.RAW: (DocumentKind.RAW, "application/vnd.specstory.raw-data"),
}
_TEXT = {"type": "string"}
_UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "May be compressed: Content-Encoding: gzip",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["projectName", "name", "markdown", "rawData"],
                    "properties": {
                        "projectId": _TEXT,
                        "projectName": _TEXT,
                        "name": _TEXT,
                        "markdown": {**_TEXT, "description": "The rendered session, kept byte for byte"},
                        "rawData": {**_TEXT, "description": "The agent's own transcript, kept byte for byte"},
                        "sessionData": {**_TEXT, "description": "The SessionData document; without it the last stays"},
                        "markdownVersion": _TEXT,
                        "metadata": {"type": "object", "description": "Unknown members are kept"},
                    },
                }
            }
        },
    }
}
_READ_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            Representation.MARKDOWN.value: {"schema": _TEXT},
            Representation.SESSION_DATA.value: {"schema": {"type": "object"}},
            Representation.RAW.value: {"schema": {"type": "string", "format": "binary"}},
        }
    },
    304: {"description": "The caller has this version"},
}


@router.put(
    "",
    response_model=Envelope[StoredBody],
    responses={201: {"model": Envelope[StoredBody], "description": "Created"}},
    openapi_extra=_UPLOAD_BODY,
)
@writes()
async def put_session(
    request: Request,
    ctx: Ctx,
    project: ProjectPath,
    session: SessionPath,
    uploads: Annotated[SessionUploads, Depends(provided(SessionUploads))],
) -> Response:
    """Store a session: 201 when it is new, 200 when it is brought up to date. The project is made when missing."""
    body = await request.body()
    upload = await off_loop(len(body), lambda: read_upload(body))
    stored = await uploads.put(ctx, project, session, upload)
    answer = {
        "sessionId": stored.session.client_id,
        "projectId": stored.session.project.client_id,
        "createdAt": format_time(stored.session.created_at),
    }
    return enveloped(answer, 201 if stored.is_created else 200, {"ETag": f'W/"{stored.session.etag}"'})


@router.head("", responses=_READ_CONTENT)
@reads()
async def measure_session(request: Request, ctx: Ctx, session: ThisSession, reader: Reader) -> Response:
    """What is stored of a session, without its content."""
    version = await version_of(ctx, reader, session)
    unchanged = not_modified(request, version)
    if unchanged is not None:
        return unchanged
    headers = {
        **cache_headers(version),
        "X-Markdown-Size": str(session.markdown_size),
        "X-Session-Data-Size": str(session.data_size or 0),
        "X-Raw-Data-Size": str(session.raw_size),
        "Content-Length": str(session.markdown_size),
    }
    return Response(status_code=200, headers=headers, media_type="text/markdown; charset=utf-8")


@router.get("", response_model=Envelope[OneDetail], responses=_READ_CONTENT)
@reads()
async def read_session(request: Request, ctx: Ctx, session: ThisSession, reader: Reader) -> Response:
    """A session as the Accept header wants it: JSON, markdown, session data or raw bytes."""
    wanted = negotiate(",".join(request.headers.getlist("accept")) or None)
    if wanted is not Representation.JSON:
        return await _document(request, ctx, reader, session, wanted)
    version = await version_of(ctx, reader, session)
    unchanged = not_modified(request, version)
    if unchanged is not None:
        return unchanged
    markdown = await reader.document(ctx, session, DocumentKind.MARKDOWN) or b""
    body = detail_body(session, markdown, await reader.exchanges(ctx, session.id))
    return enveloped({"session": body}, headers=cache_headers(version))


@readable(router, "/raw", responses={200: {"content": {Representation.RAW.value: {"schema": {"type": "string"}}}}})
@reads()
async def read_raw(request: Request, ctx: Ctx, session: ThisSession, reader: Reader) -> Response:
    """The agent's own transcript, byte for byte."""
    return await _document(request, ctx, reader, session, Representation.RAW)


@router.delete("", response_model=Envelope[Done])
@writes()
async def delete_session(
    ctx: Ctx, session: ThisSession, removal: Annotated[SessionRemoval, Depends(provided(SessionRemoval))]
) -> Response:
    """Delete a session, for all machines."""
    await removal.delete(ctx, session)
    return enveloped({"success": True})


async def _document(
    request: Request, ctx: Context, reader: SessionReader, session: Session, wanted: Representation
) -> Response:
    """Raises: DocumentMissing, also for callers who know the tag: it is that of the other representations too."""
    kind, media_type = _DOCUMENTS[wanted]
    if kind is DocumentKind.SESSION_DATA and session.data_size is None:
        raise DocumentMissing
    version = await version_of(ctx, reader, session)
    unchanged = not_modified(request, version)
    if unchanged is not None:
        return unchanged
    body = await reader.document(ctx, session, kind)
    if body is None:
        raise DocumentMissing
    headers = {**cache_headers(version), "Content-Type": media_type}
    if wanted is Representation.RAW:
        headers["Content-Disposition"] = "attachment"  # it may be anything, so no browser shall render it
    return Response(body, headers=headers)
