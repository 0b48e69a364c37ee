"""Signing in by password, refresh token or provider, and signing out."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.errors import NotFound
from specloop.identity import accounts, audit, workspaces
from specloop.identity.accounts import AccountStatus, Passwords, User, paused
from specloop.identity.auth.errors import BadSignIn
from specloop.identity.auth.model import SignedIn
from specloop.identity.throttle import Throttle
from specloop.identity.tokens import Session, SessionService, TokenPair
from specloop.kit.context import CredentialKind, Principal
from specloop.kit.log import get_logger

log = get_logger(__name__)


class EntranceService:
    """Lets users in and out."""

    def __init__(self, passwords: Passwords, sessions: SessionService, throttle: Throttle) -> None:
        self._passwords = passwords
        self._sessions = sessions
        self._throttle = throttle

    async def sign_in(self, ctx: Context, email: str, password: str) -> SignedIn:
        """Sign in by password. Unknown users, wrong passwords and disabled users look and take the same.

        Raises: BadSignIn; RateLimited; HashingBusy.
        """
        address = ctx.request.client_ip
        await self._throttle.check_sign_in(email, address)
        user = await accounts.find_user_by_email(ctx, email)
        async with paused(ctx):
            is_right = await self._passwords.verify(user.password_hash if user else None, password)
        if user is None or not is_right or not await may_enter(ctx, user):
            await self._throttle.count_failure(email, address)
            log.info("sign_in.refused", client_ip=address, request_id=ctx.request.request_id)
            raise BadSignIn
        await self._throttle.forgive(email)
        await self._improve_hash(ctx, user, password)
        return await self.let_in(ctx, user, "password")

    async def renew(self, ctx: Context, refresh_token: str) -> SignedIn | None:
        """Exchange a refresh token. None: it was used before and the session is ended; commit, then refuse.

        Raises: BadRefreshToken; BadSignIn when the user may not enter any more.
        """
        tokens = await self._sessions.renew(ctx, refresh_token)
        session = tokens if isinstance(tokens, Session) else tokens.session
        user = await accounts.find_user(ctx, session.user_id)
        if user is None or not await may_enter(ctx, user):
            raise BadSignIn
        if isinstance(tokens, Session):
            await audit.record(as_user(ctx, user), "session.token_reused", "session", session.id)
            return None
        return await self._landing(ctx, user, tokens)

    async def let_in(self, ctx: Context, user: User, method: str) -> SignedIn:
        """Open a session for a user who has proved who they are by `method`."""
        tokens = await self._sessions.open(ctx, user.id, method)
        await accounts.note_sign_in(ctx, user.id)
        await audit.record(as_user(ctx, user), "session.opened", "session", tokens.session.id, {"method": method})
        return await self._landing(ctx, user, tokens)

    async def sign_out(self, ctx: Context) -> None:
        """End the session that asks."""
        who = ctx.principal
        if who.user_id is None or who.session_id is None:
            raise NotFound
        await self._sessions.revoke(ctx, who.user_id, who.session_id, "signed out")

    async def _landing(self, ctx: Context, user: User, tokens: TokenPair) -> SignedIn:
        membership = await accounts.membership(ctx, user.account_id, user.id)
        role = membership.role.value if membership else ""
        visible = await workspaces.visible(ctx, user.account_id, user.id, role)
        first = visible[0].workspace.id if visible else None
        return SignedIn(user, tokens, user.account_id, first)

    async def _improve_hash(self, ctx: Context, user: User, password: str) -> None:
        if user.password_hash is None or not self._passwords.needs_rehash(user.password_hash):
            return
        async with paused(ctx):
            improved = await self._passwords.rehash(password)
        await accounts.set_password(ctx, user.id, improved)


async def may_enter(ctx: Context, user: User) -> bool:
    """Whether the user and the user's home account are active."""
    account = await accounts.find_account(ctx, user.account_id)
    return user.is_active and account is not None and account.status is AccountStatus.ACTIVE


def as_user(ctx: Context, user: User) -> Context:
    """The same transaction on behalf of a user who has just been recognised."""
    name = user.name or user.email
    return ctx.acting_as(Principal(user.account_id, CredentialKind.SESSION, user_id=user.id, name=name))
