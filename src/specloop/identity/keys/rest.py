"""Router 4 over HTTP: the keys of a workspace."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, Depends, Query, Response

from specloop.db.paging import PageRequest
from specloop.identity.keys.model import KeyStatus
from specloop.identity.keys.schema import KeyBody, KeyCreate, KeyRotate, NewKeyBody, render_key, render_new_key
from specloop.identity.keys.service import KeyService
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

router = api_router("/api/v1/workspaces/{workspace_id}/keys", tags=["Keys"])
Keys = Annotated[KeyService, Depends(provided(KeyService))]


@router.post("", status_code=201, summary="Create an API key", response_model=NewKeyBody)
@requires("admin:workspace", secret_fields=("key",))
async def create_key(workspace_id: str, body: KeyCreate, ctx: Ctx, keys: Keys, response: Response) -> dict[str, Any]:
    """`key` is shown here and never again."""
    fresh = await keys.create(ctx, body.name, body.expires_at)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/keys/{fresh.key.id}"
    response.headers["Cache-Control"] = "no-store"
    return render_new_key(fresh, ctx.clock.now())


@router.get("", summary="List API keys", response_model=PageBody[KeyBody])
@requires("admin:workspace")
async def list_keys(
    workspace_id: str,
    ctx: Ctx,
    keys: Keys,
    page: Annotated[PageRequest, sorted_by("name", "created_at", "last_used_at", "expires_at")],
    status: Annotated[KeyStatus | None, Query()] = None,
) -> dict[str, Any]:
    """Never the secrets; sort by name, created_at, last_used_at or expires_at."""
    return page_body(await keys.list(ctx, status, page), lambda key: render_key(key, ctx.clock.now()))


@router.delete("/{key_id}", status_code=204, summary="Revoke an API key")
@requires("admin:workspace")
async def revoke_key(workspace_id: str, key_id: str, ctx: Ctx, keys: Keys) -> None:
    """At once here, within five seconds in other processes."""
    await keys.revoke(ctx, key_id.lower())


@router.post("/{key_id}/rotate", status_code=201, summary="Rotate an API key", response_model=NewKeyBody)
@requires("admin:workspace", secret_fields=("key",))
async def rotate_key(
    workspace_id: str,
    key_id: str,
    ctx: Ctx,
    keys: Keys,
    response: Response,
    body: Annotated[KeyRotate | None, Body()] = None,
) -> dict[str, Any]:
    """A new secret under a new id; the old one stays valid for `grace_s` seconds."""
    fresh = await keys.rotate(ctx, key_id.lower(), (body or KeyRotate()).grace_s)
    response.headers["Location"] = f"/api/v1/workspaces/{workspace_id}/keys/{fresh.key.id}"
    response.headers["Cache-Control"] = "no-store"
    return render_new_key(fresh, ctx.clock.now())
