"""Use cases of API keys: make, show, revoke, rotate, and turn a shown one into a principal."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit, workspaces
from specloop.identity.keys import repository
from specloop.identity.keys.errors import ExpiryInThePast, KeyNotActive, KeyNotFound
from specloop.identity.keys.model import PREFIX, ApiKey, KeyStatus, looks_like_key, new_secret
from specloop.identity.scopes import KEY_SCOPES
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.crypto import Pepper
from specloop.kit.ids import new_id

REMEMBERED_SECONDS = 2.0
REMEMBERED_MAX = 4096
PREFIX_SHOWN = len(PREFIX) + 4
_SCOPES: frozenset[str] = frozenset(scope.value for scope in KEY_SCOPES)


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key together with its secret, for the one answer that shows it."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class _Remembered:
    key: ApiKey
    principal: Principal
    until: float


class KeyService:
    """The keys of all workspaces.

    Resolved keys are remembered for two seconds, so that a busy key costs no query per request. A revocation made here
    holds at once; one made by another process within five seconds, though the gate remembers for two more.
    """

    def __init__(self, pepper: Pepper) -> None:
        self._pepper = pepper
        self._remembered: OrderedDict[str, _Remembered] = OrderedDict()
        self._used: dict[str, datetime] = {}

    async def resolve(self, ctx: Context, token: str) -> Principal | None:
        """Who shows `token`, or None when it is unknown, revoked, expired, or its workspace is archived.

        `ctx` must see all workspaces.
        """
        found = await self.resolve_until(ctx, token)
        return None if found is None else found[0]

    async def resolve_until(self, ctx: Context, token: str) -> tuple[Principal, datetime | None] | None:
        """As `resolve`, with the moment at which the key expires, so that nobody remembers it for longer.

        The table holds keyed digests only, so the look-up leaks no timing of secrets.
        """
        if not looks_like_key(token):
            return None
        digest = self._pepper.digest(token)
        found = self._recall(digest, ctx) or await self._look_up(digest, ctx)
        if found is None or found.key.status_at(ctx.clock.now()) is not KeyStatus.ACTIVE:
            return None
        self._used[found.key.id] = ctx.clock.now()
        return found.principal, found.key.expires_at

    def _recall(self, digest: str, ctx: Context) -> _Remembered | None:
        found = self._remembered.get(digest)
        return found if found is not None and found.until > ctx.clock.monotonic() else None

    async def _look_up(self, digest: str, ctx: Context) -> _Remembered | None:
        # The moment is taken before the read: what is read may be outdated by the time it is kept.
        until = ctx.clock.monotonic() + REMEMBERED_SECONDS
        key = await repository.find_by_digest(ctx, digest)
        if key is None:
            self._remembered.pop(digest, None)
            return None
        found = _Remembered(key, _principal(key), until)
        self._remembered[digest] = found
        self._remembered.move_to_end(digest)
        if len(self._remembered) > REMEMBERED_MAX:
            self._remembered.popitem(last=False)
        return found

    async def create(self, ctx: Context, name: str, expires_at: datetime | None) -> NewKey:
        """Make a key for the caller's workspace.

        Raises: ExpiryInThePast, WorkspaceArchived.
        """
        await workspaces.current_active(ctx)
        if expires_at is not None and expires_at <= ctx.clock.now():
            raise ExpiryInThePast
        return await self._issue(ctx, name, expires_at, rotated_from=None)

    async def _issue(self, ctx: Context, name: str, expires_at: datetime | None, rotated_from: str | None) -> NewKey:
        secret = new_secret()
        key = ApiKey(
            id=new_id(),
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            name=name,
            prefix=secret[:PREFIX_SHOWN],
            last4=secret[-4:],
            created_at=ctx.clock.now(),
            created_by=ctx.principal.user_id,
            last_used_at=None,
            expires_at=expires_at,
            revoked_at=None,
            rotated_from=rotated_from,
        )
        await repository.add(ctx, key, self._pepper.digest(secret))
        await audit.record(ctx, "key.created", "key", key.id, {"name": name, "prefix": key.prefix})
        return NewKey(key, secret)

    async def list(self, ctx: Context, status: KeyStatus | None, page: PageRequest) -> Page[ApiKey]:
        """The keys of the caller's workspace, newest first unless `page` says otherwise."""
        found = await repository.list_keys(ctx, status, page)
        keys = [replace(key, last_used_at=self._used.get(key.id, key.last_used_at)) for key in found.results]
        return Page(keys, found.total, found.limit, found.offset)

    async def revoke(self, ctx: Context, key_id: str) -> None:
        """End a key for good.

        Raises: KeyNotFound; KeyNotActive when it is revoked already.
        """
        key = await self._get(ctx, key_id)
        if key.revoked_at is not None:
            raise KeyNotActive("the API key is already revoked")
        await repository.change(ctx, key_id, {"revoked_at": ctx.clock.now()})
        await audit.record(ctx, "key.revoked", "key", key_id, {"name": key.name})
        self._forget_after_commit(ctx, key_id)

    async def rotate(self, ctx: Context, key_id: str, grace_s: int) -> NewKey:
        """A new secret under the same name and expiry; the old one stays valid for `grace_s` seconds.

        Raises: KeyNotFound; KeyNotActive; WorkspaceArchived.
        """
        await workspaces.current_active(ctx)
        key = await self._get(ctx, key_id)
        now = ctx.clock.now()
        if key.status_at(now) is not KeyStatus.ACTIVE:
            raise KeyNotActive
        fresh = await self._issue(ctx, key.name, key.expires_at, rotated_from=key.id)
        if grace_s == 0:
            await repository.change(ctx, key_id, {"revoked_at": now})
        else:
            end = now + timedelta(seconds=grace_s)
            await repository.change(ctx, key_id, {"expires_at": min(end, key.expires_at or end)})
        await audit.record(ctx, "key.rotated", "key", key_id, {"new_key_id": fresh.key.id, "grace_s": grace_s})
        self._forget_after_commit(ctx, key_id)
        return fresh

    async def flush_usage(self, ctx: Context) -> int:
        """Write when keys were last used (`ctx` must see all workspaces); returns how many keys that were.

        Called every so often instead of once per request, and when the program stops.
        """
        used, self._used = self._used, {}
        await repository.mark_used(ctx, used)
        return len(used)

    async def _get(self, ctx: Context, key_id: str) -> ApiKey:
        key = await repository.get(ctx, key_id)
        if key is None:
            raise KeyNotFound
        return key

    def _forget_after_commit(self, ctx: Context, key_id: str) -> None:
        async def forget() -> None:
            for digest in [digest for digest, found in self._remembered.items() if found.key.id == key_id]:
                del self._remembered[digest]

        ctx.uow.after_commit(forget)


def _principal(key: ApiKey) -> Principal:
    return Principal(
        account_id=key.account_id,
        kind=CredentialKind.API_KEY,
        workspace_id=key.workspace_id,
        scopes=_SCOPES,
        key_id=key.id,
        name=key.name,
    )
