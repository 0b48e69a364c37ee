"""The credentials of the record stage, as the gate reads them: device tokens and personal keys.

Both stand for a user and hold at most that user's rights; the scopes they carry themselves are the upper bound.
"""

from __future__ import annotations

from dataclasses import replace

from specloop.db.context import Context
from specloop.errors import Unauthenticated
from specloop.identity.devices import ACCESS_PREFIX, DeviceService
from specloop.identity.gate import Resolved, user_principal
from specloop.identity.personal_keys import PREFIX, PersonalKeyService
from specloop.identity.personal_keys.model import READ_WRITE
from specloop.kit.context import CredentialKind


class DeviceTokenResolver:
    """Access tokens of linked devices: they may record and read, and nothing outside the record stage."""

    def __init__(self, devices: DeviceService) -> None:
        self._devices = devices

    def matches(self, token: str) -> bool:
        """Whether it has the prefix of a device's access token."""
        return token.startswith(ACCESS_PREFIX)

    async def resolve(self, ctx: Context, token: str) -> Resolved:
        """The device acting for its user, standing in the user's home account.

        Raises: Unauthenticated.
        """
        device, expires_at = await self._devices.resolve(ctx, token)
        user = await user_principal(ctx, device.user_id, None)
        principal = replace(user, kind=CredentialKind.DEVICE, scopes=READ_WRITE, key_id=device.id, audience="record")
        return Resolved(principal, int(expires_at.timestamp()))


class PersonalKeyResolver:
    """Personal keys (`sf_…`)."""

    def __init__(self, keys: PersonalKeyService) -> None:
        self._keys = keys

    def matches(self, token: str) -> bool:
        """Whether it has the prefix of a personal key."""
        return token.startswith(PREFIX)

    async def resolve(self, ctx: Context, token: str) -> Resolved:
        """The key acting for its user, standing in the user's home account.

        Raises: Unauthenticated, in the same words whatever is wrong (specstep.md §4.2).
        """
        key = await self._keys.resolve(ctx, token)
        if key is None:
            raise Unauthenticated
        user = await user_principal(ctx, key.user_id, None)
        principal = replace(
            user, kind=CredentialKind.PERSONAL_KEY, scopes=key.scopes, key_id=key.id, audience="personal"
        )
        return Resolved(principal, None if key.expires_at is None else int(key.expires_at.timestamp()))
