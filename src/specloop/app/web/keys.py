"""The page of a workspace's API keys: make, rotate, revoke. A secret is shown in one answer and never kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.app.web.workspaces import check_typed
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import SpecloopError
from specloop.identity.keys import KeyService
from specloop.identity.keys.schema import KeyCreate, render_key
from specloop.identity.keys.service import NewKey
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}/keys"
Keys = Annotated[KeyService, Depends(provided(KeyService))]
GRACE_SECONDS = 3600


@router.get(PREFIX)
@requires("admin:workspace")
async def show_keys(ctx: Ctx, frame: FrameHere, keys: Keys, workspace_id: str) -> Response:
    """The keys, never their secrets."""
    return await _page(ctx, frame, keys, Form())


async def _page(
    ctx: Context, frame: Frame, keys: KeyService, form: Form, status: int = 200, fresh: NewKey | None = None
) -> Response:
    found = await keys.list(ctx, None, frame.page_request())
    rows = [render_key(key, ctx.clock.now()) for key in found.results]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    shown = {"name": fresh.key.name, "key": fresh.secret} if fresh else None
    return frame.page("keys", status=status, keys=page, form=form, fresh_key=shown)


@router.post(PREFIX)
@requires("admin:workspace")
async def create_key(ctx: Ctx, frame: FrameHere, keys: Keys, workspace_id: str, posted: Posted) -> Response:
    """Makes a key and shows its secret in this one answer."""
    try:
        days = posted.get("expires_in", "")
        expires_at = ctx.clock.now() + timedelta(days=min(int(days), 3650)) if days.isdecimal() else None
        wanted = parsed(KeyCreate, {"name": posted.get("name", ""), "expires_at": expires_at})
        fresh = await keys.create(ctx, wanted.name, wanted.expires_at)
    except SpecloopError as error:
        return await _page(ctx, frame, keys, await refused(ctx, error, posted), error.status)
    return await _page(ctx, frame, keys, Form(), fresh=fresh)


@router.post(PREFIX + "/{key_id}/rotate")
@requires("admin:workspace")
async def rotate_key(
    ctx: Ctx, frame: FrameHere, keys: Keys, workspace_id: str, key_id: str, posted: Posted
) -> Response:
    """A new secret; the old one goes on for an hour."""
    try:
        fresh = await keys.rotate(ctx, key_id.lower(), GRACE_SECONDS)
    except SpecloopError as error:
        return await _page(ctx, frame, keys, await refused(ctx, error, posted), error.status)
    return await _page(ctx, frame, keys, Form(), fresh=fresh)


@router.post(PREFIX + "/{key_id}/revoke")
@requires("admin:workspace")
async def revoke_key(
    ctx: Ctx, frame: FrameHere, keys: Keys, workspace_id: str, key_id: str, posted: Posted
) -> Response:
    """Ends a key, once its name was typed."""
    try:
        check_typed(posted, await _name(ctx, keys, key_id.lower(), posted))
        await keys.revoke(ctx, key_id.lower())
    except SpecloopError as error:
        return await _page(ctx, frame, keys, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/keys", "Key revoked. It stops working within five seconds.")


async def _name(ctx: Context, keys: KeyService, key_id: str, posted: dict[str, str]) -> str:
    # The list is the only reader of keys; a key beyond its first page is taken at the form's word.
    found = await keys.list(ctx, None, PageRequest(limit=LIMIT_MAX))
    return next((key.name for key in found.results if key.id == key_id), posted.get("confirm", ""))
