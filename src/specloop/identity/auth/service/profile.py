"""Who am I: the profile with accounts and workspaces. Read on nearly every page, so it is remembered briefly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from specloop.db.context import Context
from specloop.db.uow import UnitOfWork
from specloop.errors import Unauthenticated
from specloop.identity import accounts, workspaces
from specloop.identity.accounts import Account, Membership, User
from specloop.identity.audit import Epoch, Memory, Units
from specloop.identity.scopes import workspace_scopes
from specloop.identity.workspaces import VisibleWorkspace
from specloop.kit import json


class ProfileService:
    """Reads and remembers profiles."""

    def __init__(self, epoch: Epoch, units: Units) -> None:
        self._memory: Memory[tuple[str, str], bytes] = Memory(epoch, units)

    async def me(self, ctx: Context) -> bytes:
        """The JSON of `ProfileBody` for the caller, as seen from the account where the caller stands.

        Raises: Unauthenticated when the user is gone.
        """
        user_id, account_id = ctx.principal.user_id, ctx.principal.account_id
        if user_id is None:
            raise Unauthenticated

        async def read(unit: UnitOfWork) -> bytes:
            return json.dumps(await self._read(replace(ctx, uow=unit), user_id))

        return await self._memory.recall((user_id, account_id), ctx.clock, read, unit=ctx.uow)

    async def fresh(self, ctx: Context, account_id: str | None = None) -> bytes:
        """The same after a change in this very transaction, seen from `account_id` when that was just chosen."""
        user = await self.user(ctx)
        home = account_id or ctx.principal.account_id
        membership = await accounts.membership(ctx, home, user.id)
        role = membership.role.value if membership else ctx.principal.account_role
        standing = ctx.acting_as(replace(ctx.principal, account_id=home, account_role=role))
        return json.dumps(await self._read(standing, user.id))

    async def user(self, ctx: Context) -> User:
        """The caller as a user.

        Raises: Unauthenticated when the user is gone.
        """
        user = await accounts.find_user(ctx, ctx.principal.user_id or "")
        if user is None:
            raise Unauthenticated
        return user

    async def _read(self, ctx: Context, user_id: str) -> dict[str, Any]:
        user = await self.user(ctx)
        belongings = await accounts.memberships(ctx, user_id)
        home = await accounts.find_account(ctx, ctx.principal.account_id)
        if home is None:
            raise Unauthenticated
        role = ctx.principal.account_role or "member"
        places: list[dict[str, Any]] = []
        for membership, account in belongings:
            visible = await workspaces.visible(ctx, account.id, user_id, membership.role.value)
            places += [_workspace(membership, place) for place in visible]
        return {
            "user_id": user.id,
            "email": user.email,
            "name": user.name,
            "timezone": user.timezone,
            "account": _account(home, role),
            "accounts": [_account(account, membership.role.value) for membership, account in belongings],
            "workspaces": places,
        }


def _account(account: Account, role: str) -> dict[str, str]:
    return {"id": account.id, "name": account.name, "plan": account.plan, "role": role}


def _workspace(membership: Membership, place: VisibleWorkspace) -> dict[str, Any]:
    # Owners and staff see workspaces without a place in them; their account role is then what lets them in.
    return {
        "id": place.workspace.id,
        "account_id": place.workspace.account_id,
        "name": place.workspace.name,
        "role": (place.role or membership.role).value,
        "scopes": sorted(workspace_scopes(membership.role, place.role)),
    }
