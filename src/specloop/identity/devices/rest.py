"""Linking devices: SpecStory's three routes, and the routes by which a user makes codes and looks after devices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request, Response

from specloop.errors import Unauthenticated
from specloop.identity import accounts
from specloop.identity.devices.errors import BadDeviceToken
from specloop.identity.devices.schema import (
    DeviceBody,
    DeviceCodeBody,
    DeviceLogin,
    DeviceLoginBody,
    DeviceLogoutBody,
    DeviceRefreshBody,
    render_access,
    render_code,
    render_device,
    render_login,
)
from specloop.identity.devices.service import DeviceService
from specloop.transport.guard import public, requires
from specloop.transport.paging import PageBody, PageParams, page_body
from specloop.transport.routing import Ctx, api_router, provided
from specloop.transport.specstory import record_router

login_router = record_router("/api/v1", tags=["Devices"])
router = api_router("/api/v1/auth", tags=["Devices"])
Devices = Annotated[DeviceService, Depends(provided(DeviceService))]
_NO_STORE = {"Cache-Control": "no-store"}
_NO_DEVICE: dict[int | str, dict[str, Any]] = {401: {"description": "No valid refresh token"}}


@login_router.post("/device-login", response_model=DeviceLoginBody, summary="Link a device with a one-time code")
@public()
async def link_device(ctx: Ctx, devices: Devices, body: DeviceLogin, response: Response) -> dict[str, Any]:
    """The code comes from `/cli-login` or `specloop devices code`; a bad one is 401 with a text to ask for another."""
    response.headers.update(_NO_STORE)
    return render_login(await devices.link(ctx, body.device_code, body.origin()))


@login_router.post(
    "/device-refresh", response_model=DeviceRefreshBody, responses=_NO_DEVICE, summary="Renew a device's access"
)
@public()
async def refresh_device(ctx: Ctx, devices: Devices, request: Request, response: Response) -> dict[str, Any]:
    """Takes the refresh token as bearer and no body; the refresh token itself never changes."""
    response.headers.update(_NO_STORE)
    return render_access(await devices.refresh(ctx, _bearer(request)))


@login_router.post("/device-logout", response_model=DeviceLogoutBody, responses=_NO_DEVICE, summary="Unlink a device")
@public()
async def log_device_out(ctx: Ctx, devices: Devices, request: Request) -> dict[str, Any]:
    """Takes the refresh token as bearer; it and its access tokens are refused from now on."""
    await devices.log_out(ctx, _bearer(request))
    return {"success": True}


def _bearer(request: Request) -> str:
    """The refresh token of the header.

    Raises: BadDeviceToken, also for the empty bearer of a client whose refresh has failed before (§1.1).
    """
    values = request.headers.getlist("authorization")
    scheme, _, token = (values[0] if len(values) == 1 else "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise BadDeviceToken("Invalid or missing authentication token")
    return token.strip()


@router.post("/device-codes", status_code=201, response_model=DeviceCodeBody, summary="Make a code that links a device")
@requires(users_only=True, secret_fields=("code",))
async def make_device_code(ctx: Ctx, devices: Devices, response: Response) -> dict[str, Any]:
    """Good once, for a day; type it where `specstory login` asks for it."""
    response.headers.update(_NO_STORE)
    user = await accounts.find_user(ctx, ctx.principal.user_id or "")
    if user is None:
        raise Unauthenticated
    return render_code(await devices.make_code(ctx, user))


@router.get("/devices", response_model=PageBody[DeviceBody], summary="Devices that record for the user")
@requires(users_only=True)
async def list_devices(ctx: Ctx, devices: Devices, page: PageParams) -> dict[str, Any]:
    """Most recently used first; sort by created_at, last_used_at or hostname."""
    return page_body(await devices.list(ctx, ctx.principal.user_id or "", page), render_device)


@router.delete("/devices/{device_id}", status_code=204, summary="Revoke a device")
@requires(users_only=True)
async def revoke_device(ctx: Ctx, devices: Devices, device_id: str) -> None:
    """Its tokens are refused at once here, within two seconds in other processes."""
    await devices.revoke(ctx, ctx.principal.user_id or "", device_id.lower())
