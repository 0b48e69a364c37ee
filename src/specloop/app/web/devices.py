"""Pages for recorders of coding sessions: the code that links one, the list of linked ones, and personal keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.uow import ALL_WORKSPACES
from specloop.errors import SpecloopError, Unauthenticated
from specloop.identity import accounts
from specloop.identity.devices import DeviceService
from specloop.identity.devices.schema import render_device
from specloop.identity.personal_keys import NewPersonalKey, PersonalKeyService
from specloop.identity.personal_keys.schema import PersonalKeyCreate
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, door_of, provided, request_info

router = page_router()
Devices = Annotated[DeviceService, Depends(provided(DeviceService))]
PersonalKeys = Annotated[PersonalKeyService, Depends(provided(PersonalKeyService))]
DEVICES_PAGE = "/app/account/devices"
KEYS_PAGE = "/app/account/personal-keys"


@router.get("/cli-login")
@requires(users_only=True)
async def show_code(ctx: Ctx, frame: FrameHere, devices: Devices, request: Request) -> Response:
    """The page that `specstory login` opens (specstory.md §1.1). Each look makes a code of its own.

    A GET that writes: the code is of use only to whoever sees this page, so no other site gains by causing it.
    """
    door = door_of(request)
    async with door.database.writing(ALL_WORKSPACES) as unit:
        inside = Context(ctx.principal, unit, door.clock, request_info(request))
        user = await accounts.find_user(inside, ctx.principal.user_id or "")
        if user is None:
            raise Unauthenticated
        fresh = await devices.make_code(inside, user)
    server = str(request.base_url).rstrip("/")
    response = frame.page("cli_login", code=fresh.shown, expires_at=fresh.expires_at, server=server)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get(DEVICES_PAGE)
@requires(users_only=True)
async def show_devices(ctx: Ctx, frame: FrameHere, devices: Devices) -> Response:
    """Devices that record for the visitor."""
    found = await devices.list(ctx, ctx.principal.user_id or "", frame.page_request())
    rows = [render_device(device) for device in found.results]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    return frame.page("devices", tab="devices", devices=page)


@router.post(DEVICES_PAGE + "/{device_id}/revoke")
@requires(users_only=True)
async def revoke_device(ctx: Ctx, frame: FrameHere, devices: Devices, device_id: str, posted: Posted) -> Response:
    """Ends a device's access."""
    await devices.revoke(ctx, ctx.principal.user_id or "", device_id.lower())
    return frame.go(DEVICES_PAGE, "That device records no more.")


@router.get(KEYS_PAGE)
@requires(users_only=True)
async def show_personal_keys(ctx: Ctx, frame: FrameHere, keys: PersonalKeys) -> Response:
    """The visitor's keys, never their secrets."""
    return await _keys_page(ctx, frame, keys, Form())


async def _keys_page(
    ctx: Context,
    frame: Frame,
    keys: PersonalKeyService,
    form: Form,
    status: int = 200,
    fresh: NewPersonalKey | None = None,
) -> Response:
    found = await keys.list(ctx, frame.page_request())
    now = ctx.clock.now()
    rows = [{"key": key, "state": key.state_at(now)} for key in found.results]
    page = {"results": rows, "total": found.total, "limit": found.limit, "offset": found.offset}
    return frame.page("personal_keys", status=status, tab="personal-keys", keys=page, form=form, fresh_key=fresh)


@router.post(KEYS_PAGE)
@requires(users_only=True)
async def create_personal_key(ctx: Ctx, frame: FrameHere, keys: PersonalKeys, posted: Posted) -> Response:
    """Makes a key and shows its secret in this one answer."""
    try:
        days = posted.get("expires_in", "")
        expires_at = ctx.clock.now() + timedelta(days=min(int(days), 3650)) if days.isdecimal() else None
        wanted = parsed(PersonalKeyCreate, {"name": posted.get("name", ""), "access": posted.get("access", "read")})
        fresh = await keys.create(ctx, wanted.name, can_write=wanted.access == "write", expires_at=expires_at)
    except SpecloopError as error:
        return await _keys_page(ctx, frame, keys, await refused(ctx, error, posted), error.status)
    response = await _keys_page(ctx, frame, keys, Form(), fresh=fresh)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post(KEYS_PAGE + "/{key_id}/revoke")
@requires(users_only=True)
async def revoke_personal_key(ctx: Ctx, frame: FrameHere, keys: PersonalKeys, key_id: str, posted: Posted) -> Response:
    """Ends a key."""
    await keys.revoke(ctx, key_id.lower())
    return frame.go(KEYS_PAGE, "Key revoked. It stops working within two seconds.")
