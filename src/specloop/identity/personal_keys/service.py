"""Use cases of personal keys: make, show, revoke, and find the owner of a shown one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import Forbidden
from specloop.identity import audit
from specloop.identity.personal_keys import repository
from specloop.identity.personal_keys.errors import PersonalKeyNotFound, TooManyPersonalKeys
from specloop.identity.personal_keys.model import (
    PREFIX_SHOWN,
    NewPersonalKey,
    PersonalKey,
    looks_like_key,
    new_secret,
)
from specloop.kit.context import CredentialKind
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id

KEYS_PER_USER_MAX = 100


class PersonalKeyService:
    """The personal keys of all users."""

    def __init__(self, pepper: Pepper) -> None:
        self._pepper = pepper
        self._used: dict[str, datetime] = {}

    async def create(
        self, ctx: Context, name: str, *, can_write: bool, expires_at: datetime | None = None
    ) -> NewPersonalKey:
        """Make a key for the signed-in user.

        Raises: Forbidden for any other credential than a sign-in; TooManyPersonalKeys.
        """
        user_id = _signed_in(ctx)
        if await repository.count_live(ctx, user_id) >= KEYS_PER_USER_MAX:
            raise TooManyPersonalKeys
        secret = new_secret()
        key = PersonalKey(
            id=new_id(),
            user_id=user_id,
            name=name,
            prefix=secret[:PREFIX_SHOWN],
            can_write=can_write,
            created_at=ctx.clock.now(),
            last_used_at=None,
            expires_at=expires_at,
            revoked_at=None,
        )
        await repository.add(ctx, key, self._pepper.digest(secret))
        detail = {"name": name, "prefix": key.prefix, "can_write": can_write}
        await audit.record(ctx, "personal_key.created", "personal_key", key.id, detail)
        return NewPersonalKey(key, secret)

    async def list(self, ctx: Context, page: PageRequest) -> Page[PersonalKey]:
        """The user's keys, newest first."""
        found = await repository.list_keys(ctx, _signed_in(ctx), page)
        keys = [replace(key, last_used_at=self._used.get(key.id, key.last_used_at)) for key in found.results]
        return Page(keys, found.total, found.limit, found.offset)

    async def revoke(self, ctx: Context, key_id: str) -> None:
        """End a key of the user for good.

        Raises: Forbidden, PersonalKeyNotFound.
        """
        name = await repository.revoke(ctx, _signed_in(ctx), key_id)
        if name is None:
            raise PersonalKeyNotFound
        await audit.record(ctx, "personal_key.revoked", "personal_key", key_id, {"name": name})

    async def resolve(self, ctx: Context, secret: str) -> PersonalKey | None:
        """The key of a secret; None when it is unknown, revoked or expired."""
        if not looks_like_key(secret):
            return None
        key = await repository.find_by_digest(ctx, self._pepper.digest(secret))
        now = ctx.clock.now()
        if key is None or key.state_at(now) != "active":
            return None
        self._used[key.id] = now
        return key

    async def flush_usage(self, ctx: Context) -> int:
        """Write when keys were last used; returns how many keys that were. Called every so often, not per request."""
        used, self._used = self._used, {}
        await repository.mark_used(ctx, used)
        return len(used)


def _signed_in(ctx: Context) -> str:
    if ctx.principal.kind is not CredentialKind.SESSION or ctx.principal.user_id is None:
        raise Forbidden("Personal keys are for signed-in people only")
    return ctx.principal.user_id
