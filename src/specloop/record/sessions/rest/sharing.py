"""Shared sessions over HTTP, for everybody who knows the link (specstory.md §1.7)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.identity import accounts
from specloop.record.sessions.rest.answers import Reader, enveloped
from specloop.record.sessions.rest.conditional import cache_headers, not_modified, version_of
from specloop.record.sessions.schema import Envelope, shared_body
from specloop.record.sessions.service.sharing import SharedSessions
from specloop.transport.guard import public
from specloop.transport.routing import Ctx, provided
from specloop.transport.specstory import record_router

router = record_router("/api/v1/share")
Shared = Annotated[SharedSessions, Depends(provided(SharedSessions))]
_NOT_SHARED: dict[int | str, dict[str, Any]] = {404: {"description": "Session not found or not shared"}}


@router.get("/{share}", response_model=Envelope[dict[str, Any]], responses=_NOT_SHARED)
@public()
async def read_shared(request: Request, ctx: Ctx, share: str, shared: Shared, reader: Reader) -> Response:
    """A session that its owner shares, without hidden exchanges and without raw data."""
    found = await shared.find(ctx, share)
    version = await version_of(ctx, reader, found.session)
    unchanged = not_modified(request, version)
    if unchanged is not None:
        return unchanged
    author = await accounts.find_user(ctx, found.session.owner_id)
    body = shared_body(found.session, author.name if author else "", await shared.markdown(ctx, found), found.exchanges)
    return enveloped({"session": body}, headers=cache_headers(version))


@router.get(
    "/{share}/markdown", responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}, **_NOT_SHARED}
)
@public()
async def read_shared_markdown(request: Request, ctx: Ctx, share: str, shared: Shared, reader: Reader) -> Response:
    """The same as markdown."""
    found = await shared.find(ctx, share)
    version = await version_of(ctx, reader, found.session)
    unchanged = not_modified(request, version)
    if unchanged is not None:
        return unchanged
    headers = {**cache_headers(version), "Content-Type": "text/markdown; charset=utf-8"}
    return Response(await shared.markdown(ctx, found), headers=headers)
