"""Use cases of sessions and one-time tokens."""

from __future__ import annotations

from datetime import datetime, timedelta

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.identity.tokens import repository
from specloop.identity.tokens.access import AccessTokens
from specloop.identity.tokens.errors import BadRefreshToken, SessionNotFound
from specloop.identity.tokens.model import ACCESS_LIFETIME, REFRESH_LIFETIME, Purpose, Session, TokenPair
from specloop.kit.crypto import Pepper, random_token
from specloop.kit.ids import new_id

REFRESH_PREFIX = "rt_"
REFRESH_LENGTH_MAX = 200
_PREFIXES = {Purpose.PASSWORD_RESET: "rst_", Purpose.OWNER_SETUP: "inv_"}


class SessionService:
    """Opens, renews and ends the sessions of users.

    A refresh token is exchanged once. A second use means that somebody has a copy, so the whole session ends: there is
    no grace period, because a thief may be the one who comes second (RFC 9700 §4.14).
    """

    def __init__(self, access: AccessTokens, pepper: Pepper) -> None:
        self.access = access
        self._pepper = pepper

    async def open(self, ctx: Context, user_id: str, method: str) -> TokenPair:
        """A new session of a user who has just proved who they are by `method`."""
        now = ctx.clock.now()
        session = Session(
            id=new_id(),
            user_id=user_id,
            method=method,
            user_agent=ctx.request.user_agent,
            client_ip=ctx.request.client_ip,
            created_at=now,
            last_used_at=now,
            expires_at=now + REFRESH_LIFETIME,
            revoked_at=None,
            revoked_because=None,
        )
        await repository.add_session(ctx, session)
        return await self._pair(ctx, session)

    async def renew(self, ctx: Context, refresh_token: str) -> TokenPair | Session:
        """The next pair of a session. The session alone when the token was used before: it has been ended by then,
        so the edge must commit before it refuses.

        Raises: BadRefreshToken when it is unknown, expired, or its session has ended.
        """
        digest = self._pepper.digest(refresh_token[:REFRESH_LENGTH_MAX])
        found = await repository.refresh_token_session(ctx, digest)
        if found is None:
            raise BadRefreshToken
        session, expires_at = found
        if not session.is_live(ctx.clock.now()) or expires_at <= ctx.clock.now():
            raise BadRefreshToken
        if not await repository.use_refresh_token(ctx, digest):
            await repository.revoke_sessions(ctx, "refresh token used twice", session_id=session.id)
            return session
        await repository.prolong_session(ctx, session.id, ctx.clock.now() + REFRESH_LIFETIME)
        return await self._pair(ctx, session)

    async def _pair(self, ctx: Context, session: Session) -> TokenPair:
        now = ctx.clock.now()
        refresh_token = REFRESH_PREFIX + random_token()
        await repository.add_refresh_token(ctx, self._pepper.digest(refresh_token), session.id, now + REFRESH_LIFETIME)
        return TokenPair(
            access_token=self.access.issue(session.user_id, session.id, now),
            refresh_token=refresh_token,
            expires_in=int(ACCESS_LIFETIME.total_seconds()),
            session=session,
        )

    async def list(self, ctx: Context, user_id: str, page: PageRequest) -> Page[Session]:
        """The user's live sessions."""
        return await repository.list_live_sessions(ctx, user_id, page)

    async def revoke(self, ctx: Context, user_id: str, session_id: str, because: str) -> None:
        """End one session of the user.

        Raises: SessionNotFound.
        """
        if not await repository.revoke_sessions(ctx, because, session_id=session_id, user_id=user_id):
            raise SessionNotFound
        await audit.record(ctx, "session.revoked", "session", session_id, {"because": because})

    async def revoke_all(self, ctx: Context, user_id: str, because: str, *, keep: str | None = None) -> None:
        """End the user's sessions, all but `keep`."""
        await repository.revoke_sessions(ctx, because, user_id=user_id, keep=keep)

    async def is_live(self, ctx: Context, session_id: str, user_id: str) -> bool:
        """Whether the session still lets that user in."""
        session = await repository.find_session(ctx, session_id)
        return session is not None and session.user_id == user_id and session.is_live(ctx.clock.now())


class OneTimeTokens:
    """Tokens for one act; a new one replaces the earlier ones of the same purpose and user."""

    def __init__(self, pepper: Pepper) -> None:
        self._pepper = pepper

    async def mint(self, ctx: Context, purpose: Purpose, user_id: str | None, lifetime: timedelta) -> str:
        """A fresh token."""
        await repository.drop_one_time_tokens(ctx, purpose, user_id)
        token = _PREFIXES[purpose] + random_token()
        expires_at: datetime = ctx.clock.now() + lifetime
        await repository.add_one_time_token(ctx, self._pepper.digest(token), purpose, user_id, expires_at)
        return token

    async def is_good(self, ctx: Context, purpose: Purpose, token: str) -> bool:
        """Whether `spend` would succeed now."""
        return await repository.is_one_time_token_good(ctx, self._pepper.digest(token), purpose)

    async def spend(self, ctx: Context, purpose: Purpose, token: str) -> tuple[bool, str | None]:
        """(whether the token was good, whose it was); a good one is good no more."""
        return await repository.use_one_time_token(ctx, self._pepper.digest(token), purpose)

    async def withdraw(self, ctx: Context, purpose: Purpose, user_id: str | None) -> None:
        """Make the unused tokens of a purpose worthless."""
        await repository.drop_one_time_tokens(ctx, purpose, user_id)
