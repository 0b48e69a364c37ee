"""Signing in through a provider: whose account a verified identity opens.

Only an address that the provider vouches for may choose an existing user. If nobody had vouched for that user's address
before, whoever registered it may be somebody else: the old password and sessions end with the first link.
"""

from __future__ import annotations

from specloop.db.context import Context
from specloop.identity import accounts, audit, oauth
from specloop.identity.accounts import NewUser, User, paused
from specloop.identity.auth.errors import BadSignIn, UnverifiedEmail
from specloop.identity.auth.model import SignedIn
from specloop.identity.auth.service.entrance import EntranceService, as_user, may_enter
from specloop.identity.auth.service.registration import RegistrationService
from specloop.identity.oauth import OAuthService, Profile
from specloop.identity.tokens import SessionService


class ProviderSignInService:
    """Joins the providers' people with our users."""

    def __init__(
        self,
        providers: OAuthService,
        entrance: EntranceService,
        registration: RegistrationService,
        sessions: SessionService,
    ) -> None:
        self.providers = providers
        self._entrance = entrance
        self._registration = registration
        self._sessions = sessions

    async def begin(
        self, ctx: Context, provider: str, redirect_uri: str | None, browser_secret: str | None
    ) -> tuple[str, str]:
        """(where the browser goes, the state that comes back).

        Raises: ProviderUnknown; RedirectRefused; ProviderUnreachable.
        """
        async with paused(ctx):
            return await self.providers.begin(provider, redirect_uri, browser_secret)

    async def finish(self, ctx: Context, provider: str, code: str, state: str, browser_secret: str | None) -> SignedIn:
        """Sign in the person who comes back.

        Raises: ProviderUnknown; BadCallback; ProviderUnreachable; UnverifiedEmail; RegistrationClosed; BadSignIn.
        """
        async with paused(ctx):
            profile = await self.providers.finish(provider, code, state, browser_secret)
        user = await self._user_of(ctx, profile)
        if not await may_enter(ctx, user):
            raise BadSignIn
        return await self._entrance.let_in(ctx, user, f"provider:{profile.provider}")

    async def _user_of(self, ctx: Context, profile: Profile) -> User:
        linked = await oauth.find_linked_user(ctx, profile.provider, profile.subject)
        user = await accounts.find_user(ctx, linked) if linked else None
        if user is not None:
            return user
        if not profile.is_email_verified or not profile.email:
            raise UnverifiedEmail
        user = await accounts.find_user_by_email(ctx, profile.email)
        if user is None:
            new = NewUser(profile.email, profile.name or profile.email, is_email_verified=True)
            user = await self._registration.admit_verified(ctx, new)
        elif user.email_verified_at is None:
            await self._evict_strangers(ctx, user)
        await oauth.link(ctx, profile.provider, profile.subject, user.id)
        await audit.record(as_user(ctx, user), "user.provider_linked", "user", user.id, {"provider": profile.provider})
        return user

    async def _evict_strangers(self, ctx: Context, user: User) -> None:
        await accounts.set_password(ctx, user.id, None)
        await accounts.verify_email(ctx, user.id)
        await self._sessions.revoke_all(ctx, user.id, "the address was proved by a provider")
