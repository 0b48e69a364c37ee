"""Who may register, and what registration makes: a user with an account and its first workspace, or a member."""

from __future__ import annotations

from dataclasses import replace

from specloop.db.context import Context
from specloop.identity import accounts, workspaces
from specloop.identity.accounts import NewUser, Passwords, User, paused
from specloop.identity.auth.errors import BadInvitation, RegistrationClosed
from specloop.identity.auth.model import Registration, SignedIn
from specloop.identity.auth.service.entrance import EntranceService, as_user
from specloop.identity.invites import Invite, InviteService, InviteUnusable
from specloop.identity.scopes import AccountRole
from specloop.identity.throttle import Throttle
from specloop.identity.tokens import SETUP_LIFETIME, OneTimeTokens, Purpose

FIRST_WORKSPACE = "Default"


class RegistrationService:
    """Registers users. `is_open`: anybody may; otherwise an invitation or the owner's set-up token is needed."""

    def __init__(
        self,
        entrance: EntranceService,
        passwords: Passwords,
        throttle: Throttle,
        invites: InviteService,
        one_time: OneTimeTokens,
        *,
        is_open: bool,
    ) -> None:
        self._entrance = entrance
        self._passwords = passwords
        self._throttle = throttle
        self._invites = invites
        self._one_time = one_time
        self.is_open = is_open

    async def register(self, ctx: Context, wanted: Registration) -> SignedIn:
        """Make the user and sign in. A taken address costs the same work and says no more than any other refusal.

        Raises: RegistrationClosed; BadInvitation; EmailTaken; PasswordLength; RateLimited; HashingBusy.
        """
        if not self.is_open and wanted.invite_token is None:
            raise RegistrationClosed
        await self._throttle.count_registration(ctx.request.client_ip)
        self._passwords.check_length(wanted.password)
        async with paused(ctx):
            password_hash = await self._passwords.hash(wanted.password)
        new = NewUser(wanted.email, wanted.name, wanted.timezone, password_hash)
        user = await self.admit(ctx, new, wanted.tenant_name, wanted.invite_token)
        return await self._entrance.let_in(ctx, user, "registration")

    async def admit(self, ctx: Context, new: NewUser, tenant_name: str | None, invite_token: str | None) -> User:
        """Make the user as an invitation, the set-up token or the open door allow.

        Raises: RegistrationClosed; BadInvitation; EmailTaken.
        """
        if invite_token is None:
            if not self.is_open:
                raise RegistrationClosed
            return await self._found_account(ctx, new, tenant_name)
        is_setup, _ = await self._one_time.spend(ctx, Purpose.OWNER_SETUP, invite_token)
        if is_setup:
            return await self._found_account(ctx, replace(new, is_email_verified=True), tenant_name)
        try:
            invite = await self._invites.redeem(ctx, invite_token, new.email)
        except InviteUnusable as error:
            raise BadInvitation from error
        return await self._join_account(ctx, new, invite)

    async def admit_verified(self, ctx: Context, new: NewUser) -> User:
        """Make the user for whose address a provider vouches: by a pending invitation, or through the open door.

        Raises: RegistrationClosed; EmailTaken.
        """
        invite = await self._invites.find_pending(ctx, new.email)
        if invite is not None:
            return await self._join_account(ctx, new, invite)
        return await self.admit(ctx, new, None, None)

    async def make_setup_token(self, ctx: Context) -> str | None:
        """The one-time token that makes the first owner, on a server that has no users; else None."""
        if not await accounts.is_empty_server(ctx):
            return None
        return await self._one_time.mint(ctx, Purpose.OWNER_SETUP, None, SETUP_LIFETIME)

    async def is_setup_token(self, ctx: Context, token: str) -> bool:
        """Whether `token` would make the first owner, for the page behind the link."""
        return await self._one_time.is_good(ctx, Purpose.OWNER_SETUP, token)

    async def _found_account(self, ctx: Context, new: NewUser, tenant_name: str | None) -> User:
        account = await accounts.create_account(ctx, tenant_name or new.name or new.email)
        user = await accounts.create_user(ctx, account.id, new, AccountRole.OWNER)
        await workspaces.create_first(as_user(ctx, user), account.id, user.id, FIRST_WORKSPACE)
        await self._one_time.withdraw(ctx, Purpose.OWNER_SETUP, None)  # the server has an owner now
        return user

    async def _join_account(self, ctx: Context, new: NewUser, invite: Invite) -> User:
        vouched = replace(new, is_email_verified=True)
        user = await accounts.create_user(ctx, invite.account_id, vouched, invite.account_role)
        await self._invites.settle(as_user(ctx, user), invite, user)
        return user
