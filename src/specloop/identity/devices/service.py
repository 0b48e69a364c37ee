"""Use cases of devices: make a code, link a device with it, renew its access, list and revoke."""

from __future__ import annotations

from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import accounts, audit
from specloop.identity.accounts import AccountStatus, User
from specloop.identity.devices import repository
from specloop.identity.devices.errors import (
    BadDeviceToken,
    CodeExpired,
    CodeUsed,
    DeviceNotFound,
    MalformedCode,
    UnknownCode,
)
from specloop.identity.devices.model import (
    ACCESS_LIFETIME,
    ACCESS_PREFIX,
    CODE_LIFETIME,
    CODES_PER_USER_MAX,
    REFRESH_LIFETIME,
    REFRESH_PREFIX,
    TOKEN_LENGTH_MAX,
    AccessToken,
    Device,
    DeviceCode,
    LinkedDevice,
    Origin,
    is_code,
    new_access_token,
    new_code,
    new_refresh_token,
    without_dash,
)
from specloop.identity.throttle import Throttle
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id

EXPIRED_CODES_KEPT = timedelta(days=7)


class DeviceService:
    """The devices of all users. Its contexts see all workspaces, since a device is found by its token alone."""

    def __init__(self, pepper: Pepper, throttle: Throttle | None = None) -> None:
        """Without a `throttle` (the command line) nothing is counted."""
        self._pepper = pepper
        self._throttle = throttle

    async def make_code(self, ctx: Context, user: User) -> DeviceCode:
        """A fresh code that links one device to `user`."""
        now = ctx.clock.now()
        await repository.sweep_codes(ctx, now - EXPIRED_CODES_KEPT)
        await repository.drop_oldest_codes(ctx, user.id, CODES_PER_USER_MAX - 1)
        code = new_code()
        while await repository.has_code(ctx, self._digest(code)):
            code = new_code()
        fresh = DeviceCode(code, now + CODE_LIFETIME)
        await repository.add_code(ctx, self._digest(code), user.id, fresh.expires_at)
        await audit.record(ctx, "device_code.created", "user", user.id, account_id=user.account_id)
        return fresh

    async def link(self, ctx: Context, code: str, origin: Origin) -> LinkedDevice:
        """Exchange a code for a device with its refresh token (specstory.md §1.1, device-login).

        Raises: MalformedCode; UnknownCode, CodeExpired, CodeUsed; RateLimited after too many wrong codes.
        """
        code = without_dash(code)
        if not is_code(code):
            raise MalformedCode
        await self._check(ctx)
        user_id = await repository.spend_code(ctx, self._digest(code))
        if user_id is None:
            await self._count_failure(ctx)
            raise await self._refusal(ctx, code)
        user = await self._active_user(ctx, user_id)
        if user is None:
            raise UnknownCode
        now, refresh_token = ctx.clock.now(), new_refresh_token()
        device = Device(
            id=new_id(),
            user_id=user.id,
            origin=origin,
            client_ip=ctx.request.client_ip,
            created_at=now,
            last_used_at=now,
            expires_at=now + REFRESH_LIFETIME,
            revoked_at=None,
        )
        await repository.add_device(ctx, device, self._pepper.digest(refresh_token))
        detail = {"hostname": origin.hostname, "client": origin.client, "client_version": origin.client_version}
        await audit.record(ctx.acting_as(_principal(device, user)), "device.linked", "device", device.id, detail)
        return LinkedDevice(device, user.email, refresh_token)

    async def refresh(self, ctx: Context, refresh_token: str) -> AccessToken:
        """A new access token. The refresh token stays as it is: clients have nowhere to keep another (§1.1).

        Raises: BadDeviceToken.
        """
        device, _ = await self._device_of(ctx, refresh_token)
        token = new_access_token()
        now = ctx.clock.now()
        fresh = AccessToken(token, now, now + ACCESS_LIFETIME)
        await repository.add_token(ctx, self._pepper.digest(token), device.id, fresh.expires_at)
        return fresh

    async def log_out(self, ctx: Context, refresh_token: str) -> None:
        """End the device that holds the token, and its access tokens.

        Raises: BadDeviceToken.
        """
        device, user = await self._device_of(ctx, refresh_token)
        await self.revoke(ctx.acting_as(_principal(device, user)), user.id, device.id)

    async def resolve(self, ctx: Context, access_token: str) -> tuple[Device, datetime]:
        """The live device of an access token, and when the token ends.

        Raises: BadDeviceToken.
        """
        if not access_token.startswith(ACCESS_PREFIX) or len(access_token) > TOKEN_LENGTH_MAX:
            raise BadDeviceToken
        found = await repository.find_by_access(ctx, self._pepper.digest(access_token))
        now = ctx.clock.now()
        if found is None or not found[0].is_live(now) or found[1] <= now:
            raise BadDeviceToken
        return found

    async def list(self, ctx: Context, user_id: str, page: PageRequest) -> Page[Device]:
        """The user's devices that may still record."""
        return await repository.list_live(ctx, user_id, page)

    async def revoke(self, ctx: Context, user_id: str, device_id: str) -> None:
        """End a device of the user at once.

        Raises: DeviceNotFound.
        """
        if not await repository.revoke(ctx, user_id=user_id, device_id=device_id):
            raise DeviceNotFound
        await audit.record(ctx, "device.revoked", "device", device_id)

    async def _device_of(self, ctx: Context, refresh_token: str) -> tuple[Device, User]:
        if not refresh_token.startswith(REFRESH_PREFIX) or len(refresh_token) > TOKEN_LENGTH_MAX:
            raise BadDeviceToken
        device = await repository.find_by_refresh(ctx, self._pepper.digest(refresh_token))
        if device is None or not device.is_live(ctx.clock.now()):
            raise BadDeviceToken
        user = await self._active_user(ctx, device.user_id)
        if user is None:
            raise BadDeviceToken
        return device, user

    async def _active_user(self, ctx: Context, user_id: str) -> User | None:
        user = await accounts.find_user(ctx, user_id)
        if user is None or not user.is_active:
            return None
        account = await accounts.find_account(ctx, user.account_id)
        return user if account is not None and account.status is AccountStatus.ACTIVE else None

    async def _refusal(self, ctx: Context, code: str) -> Exception:
        found = await repository.find_code(ctx, self._digest(code))
        if found is None:
            return UnknownCode()
        return CodeUsed() if found[0] is not None else CodeExpired()

    async def _check(self, ctx: Context) -> None:
        if self._throttle is not None:
            await self._throttle.check_device_code(ctx.request.client_ip)

    async def _count_failure(self, ctx: Context) -> None:
        if self._throttle is not None:
            await self._throttle.count_device_failure(ctx.request.client_ip)

    def _digest(self, code: str) -> str:
        return self._pepper.digest(f"device-code:{code}")


def _principal(device: Device, user: User) -> Principal:
    """The device acting for its user, as audit rows name it."""
    return Principal(
        account_id=user.account_id,
        kind=CredentialKind.DEVICE,
        user_id=user.id,
        key_id=device.id,
        name=user.name or user.email,
        audience="record",
    )
