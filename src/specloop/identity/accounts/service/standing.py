"""The account itself: profile, members, usage. Works on the caller's account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.identity.accounts import repository
from specloop.identity.accounts.errors import AccountNotFound, LastOwner, MemberNotFound, StaffRoleFixed
from specloop.identity.accounts.model import Account, Member, User
from specloop.identity.scopes import AccountRole
from specloop.identity.tokens import SessionService

UsageGroup = Literal["workspace", "model", "purpose"]
Departure = Callable[[Context, str, str], Awaitable[None]]
"""Called with (ctx, account id, user id) when somebody leaves an account, so that higher domains clean up."""


class Meter(Protocol):
    """Something that counts what an account has: workspaces, agents, spans …"""

    async def __call__(self, ctx: Context, account_id: str) -> Mapping[str, int]:
        """Counts by name."""
        ...


@dataclass(frozen=True, slots=True)
class UsageLine:
    """What models cost under one key; `micro_usd` is None while a price is unknown."""

    key: str
    calls: int
    tokens_in: int
    tokens_out: int
    micro_usd: int | None


class Ledger(Protocol):
    """Whoever keeps usage records."""

    async def __call__(
        self, ctx: Context, account_id: str, group: UsageGroup, since: datetime | None, until: datetime | None
    ) -> Sequence[UsageLine]:
        """Sums by group."""
        ...


@dataclass(frozen=True, slots=True)
class Overview:
    """An account with its limits and what it holds."""

    account: Account
    limits: Mapping[str, int]
    usage: Mapping[str, int]


class AccountService:
    """Use cases on the caller's account. `limits` are the server's own, shown to users."""

    def __init__(
        self,
        sessions: SessionService,
        *,
        limits: Mapping[str, int] | None = None,
        meters: Sequence[Meter] = (),
        ledgers: Sequence[Ledger] = (),
        departures: Sequence[Departure] = (),
    ) -> None:
        self._sessions = sessions
        self._limits = dict(limits or {})
        self._meters = meters
        self._ledgers = ledgers
        self._departures = departures

    async def overview(self, ctx: Context) -> Overview:
        """The account with counts.

        Raises: AccountNotFound.
        """
        account = await _own(ctx)
        usage: dict[str, int] = {"members": await repository.count_members(ctx, account.id)}
        for meter in self._meters:
            usage.update(await meter(ctx, account.id))
        return Overview(account, self._limits, usage)

    async def account(self, ctx: Context) -> Account:
        """The account alone.

        Raises: AccountNotFound.
        """
        return await _own(ctx)

    async def change(self, ctx: Context, name: str | None, settings: dict[str, Any] | None) -> Overview:
        """Rename, or replace the settings.

        Raises: AccountNotFound.
        """
        account = await _own(ctx, is_locked=True)
        values = {"name": name or account.name, "settings": account.settings if settings is None else settings}
        changed = [key for key, value in values.items() if value != getattr(account, key)]
        if changed:
            await repository.change_account(ctx, account.id, values)
            await audit.record(ctx, "account.changed", "account", account.id, {"fields": changed})
        return await self.overview(ctx)

    async def list_members(self, ctx: Context, role: AccountRole | None, page: PageRequest) -> Page[Member]:
        """The people of the account."""
        return await repository.list_members(ctx, ctx.principal.account_id, role, page)

    async def change_role(self, ctx: Context, user_id: str, role: AccountRole) -> Member:
        """Make a member an owner, or an owner a member.

        Raises: MemberNotFound; LastOwner; StaffRoleFixed.
        """
        member = await self._locked_member(ctx, user_id)
        old = member.membership.role
        if AccountRole.OPERATIONS in (old, role):
            raise StaffRoleFixed
        if old is not role:
            if old is AccountRole.OWNER:
                await _require_other_owner(ctx)
            await repository.change_membership(ctx, ctx.principal.account_id, user_id, {"role": role})
            detail = {"from": old.value, "to": role.value}
            await audit.record(ctx, "member.role_changed", "user", user_id, detail)
        return await self._member(ctx, user_id)

    async def remove_member(self, ctx: Context, user_id: str) -> None:
        """Take somebody out of the account: nothing in it can be reached any more from the next request on.

        A user who belongs to no other account is deleted.
        Raises: MemberNotFound; LastOwner; StaffRoleFixed.
        """
        member = await self._locked_member(ctx, user_id)
        if member.membership.role is AccountRole.OPERATIONS:
            raise StaffRoleFixed
        if member.membership.role is AccountRole.OWNER:
            await _require_other_owner(ctx)
        account_id = ctx.principal.account_id
        await repository.delete_membership(ctx, account_id, user_id)
        for departed in self._departures:
            await departed(ctx, account_id, user_id)
        await audit.record(ctx, "member.removed", "user", user_id, {"email": member.user.email})
        await self._settle_elsewhere(ctx, member.user)

    async def _settle_elsewhere(self, ctx: Context, user: User) -> None:
        others = await repository.list_memberships(ctx, user.id)
        await self._sessions.revoke_all(ctx, user.id, "removed from the account")
        if not others:
            await repository.delete_user(ctx, user.id)
        elif user.account_id == ctx.principal.account_id:
            await repository.change_user(ctx, user.id, {"account_id": others[0][0].account_id})

    async def usage(
        self, ctx: Context, group: UsageGroup, since: datetime | None, until: datetime | None
    ) -> list[UsageLine]:
        """What models were used for, summed by group, largest first."""
        lines = [
            line
            for ledger in self._ledgers
            for line in await ledger(ctx, ctx.principal.account_id, group, since, until)
        ]
        return sorted(lines, key=lambda line: (-(line.micro_usd or 0), -line.calls, line.key))

    async def _member(self, ctx: Context, user_id: str) -> Member:
        account_id = ctx.principal.account_id
        membership = await repository.find_membership(ctx, account_id, user_id)
        user = await repository.find_user(ctx, user_id)
        if membership is None or user is None:
            raise MemberNotFound
        return Member(user, membership)

    async def _locked_member(self, ctx: Context, user_id: str) -> Member:
        await _own(ctx, is_locked=True)  # two owners who demote each other at once must not both succeed
        return await self._member(ctx, user_id)


async def _own(ctx: Context, *, is_locked: bool = False) -> Account:
    account = await repository.find_account(ctx, ctx.principal.account_id, is_locked=is_locked)
    if account is None:
        raise AccountNotFound
    return account


async def _require_other_owner(ctx: Context) -> None:
    if await repository.count_members(ctx, ctx.principal.account_id, AccountRole.OWNER) <= 1:
        raise LastOwner
