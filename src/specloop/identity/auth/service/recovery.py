"""Forgotten and changed passwords.

Whether an address is known never shows: the first step does the same for every address, and the rest happens in a job.
Without a mail server nobody can prove to own an address, so only the operator makes reset links, on the command line.
"""

from __future__ import annotations

from specloop import jobs
from specloop.db.context import Context
from specloop.identity import accounts, audit
from specloop.identity.accounts import Passwords, User, paused
from specloop.identity.auth.errors import BadResetToken, WrongPassword
from specloop.identity.auth.service.entrance import as_user
from specloop.identity.throttle import Throttle
from specloop.identity.tokens import RESET_LIFETIME, OneTimeTokens, Purpose, SessionService
from specloop.kit.log import get_logger

log = get_logger(__name__)
MAIL_JOB = "auth.mail-reset"


class RecoveryService:
    """Sets new passwords for users who prove who they are in another way."""

    def __init__(
        self,
        passwords: Passwords,
        sessions: SessionService,
        one_time: OneTimeTokens,
        throttle: Throttle,
        *,
        has_mailer: bool,
    ) -> None:
        self._passwords = passwords
        self._sessions = sessions
        self._one_time = one_time
        self._throttle = throttle
        self._has_mailer = has_mailer

    async def request_reset(self, ctx: Context, email: str) -> None:
        """Have a reset link mailed if somebody has that address.

        Raises: RateLimited.
        """
        await self._throttle.count_reset(ctx.request.client_ip)
        if not self._has_mailer:
            log.warning("password_reset.no_mailer", hint="make a link with `specloop users reset-link EMAIL`")
            return
        if await self._throttle.may_mail(email):
            await jobs.enqueue(ctx, MAIL_JOB, {"email": email.lower()}, queue="maintenance")

    async def make_reset_token(self, ctx: Context, email: str) -> str | None:
        """A reset token for the user of that address: for the mail job and the operator's command line."""
        user = await accounts.find_user_by_email(ctx, email)
        if user is None or not user.is_active:
            return None
        await audit.record(ctx, "user.reset_requested", "user", user.id, account_id=user.account_id)
        return await self._one_time.mint(ctx, Purpose.PASSWORD_RESET, user.id, RESET_LIFETIME)

    async def reset(self, ctx: Context, token: str, new_password: str) -> None:
        """Set a new password by a reset token; all sessions of the user end.

        Raises: BadResetToken; PasswordLength; HashingBusy.
        """
        self._passwords.check_length(new_password, "new_password")
        if not await self._one_time.is_good(ctx, Purpose.PASSWORD_RESET, token):
            raise BadResetToken
        async with paused(ctx):
            password_hash = await self._passwords.hash(new_password)
        is_good, user_id = await self._one_time.spend(ctx, Purpose.PASSWORD_RESET, token)
        user = await accounts.find_user(ctx, user_id) if is_good and user_id else None
        if user is None:
            raise BadResetToken
        await self._set(ctx, user, password_hash, keep=None)
        await accounts.verify_email(ctx, user.id)  # the token came by mail or from the operator
        await self._throttle.forgive(user.email)

    async def change(self, ctx: Context, user: User, current: str, new_password: str) -> None:
        """Replace a known password; the user's other sessions end.

        Raises: WrongPassword; PasswordLength; RateLimited; HashingBusy.
        """
        self._passwords.check_length(new_password, "new")
        address = ctx.request.client_ip
        await self._throttle.check_sign_in(user.email, address)
        async with paused(ctx):
            is_right = await self._passwords.verify(user.password_hash, current)
            password_hash = await self._passwords.hash(new_password) if is_right else ""
        if not is_right:
            await self._throttle.count_failure(user.email, address)
            raise WrongPassword
        await self._set(ctx, user, password_hash, keep=ctx.principal.session_id)

    async def _set(self, ctx: Context, user: User, password_hash: str, keep: str | None) -> None:
        await accounts.set_password(ctx, user.id, password_hash)
        await self._one_time.withdraw(ctx, Purpose.PASSWORD_RESET, user.id)
        await self._sessions.revoke_all(ctx, user.id, "password changed", keep=keep)
        await audit.record(as_user(ctx, user), "user.password_changed", "user", user.id)
