"""Sends browsers to a provider and takes them back.

State, code verifier and nonce are kept on the server and good for one callback. The calls to the provider happen
outside of any transaction, so these use cases open short ones of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from specloop.db.database import Database
from specloop.identity.oauth import repository
from specloop.identity.oauth.errors import BadCallback, ProviderUnknown, RedirectRefused
from specloop.identity.oauth.model import ATTEMPT_LIFETIME, Attempt, Profile, ProviderConfig
from specloop.identity.oauth.provider import Provider
from specloop.identity.oauth.redirects import is_allowed
from specloop.kit.clock import Clock
from specloop.kit.crypto import constant_time_equal, random_token, sha256_hex


class OAuthService:
    """The configured providers. `redirect_uris` are the addresses of our own pages, the default one first."""

    def __init__(
        self, database: Database, clock: Clock, providers: Sequence[ProviderConfig], redirect_uris: Sequence[str]
    ) -> None:
        self._database = database
        self._clock = clock
        self._providers = {config.name: Provider(config) for config in providers}
        self._redirect_uris = tuple(redirect_uris)

    @property
    def labels(self) -> Mapping[str, str]:
        """What the sign-in page writes on the button of each provider, by name."""
        return {name: one.config.label or name.title() for name, one in self._providers.items()}

    async def begin(self, name: str, redirect_uri: str | None, browser_secret: str | None) -> tuple[str, str]:
        """(where the browser goes, the state that comes back). With a `browser_secret` only its holder may finish.

        Raises: ProviderUnknown; RedirectRefused; ProviderUnreachable.
        """
        provider = self._provider(name)
        target = redirect_uri or (self._redirect_uris[0] if self._redirect_uris else "")
        if not is_allowed(target, self._redirect_uris):
            raise RedirectRefused
        state = random_token()
        browser_digest = None if browser_secret is None else sha256_hex(browser_secret)
        attempt = Attempt(name, random_token(48), random_token(), target, browser_digest)
        url = await provider.authorization_url(attempt, state)
        now = self._clock.now()
        async with self._database.writing() as unit:
            await repository.add_attempt(unit.session, sha256_hex(state), attempt, now, now + ATTEMPT_LIFETIME)
        return url, state

    async def finish(self, name: str, code: str, state: str, browser_secret: str | None) -> Profile:
        """The person who comes back from a provider. The attempt is spent, whatever comes of it.

        Raises: ProviderUnknown; BadCallback; ProviderUnreachable.
        """
        provider = self._provider(name)
        async with self._database.writing() as unit:
            attempt = await repository.take_attempt(unit.session, sha256_hex(state), self._clock.now())
        if attempt is None or attempt.provider != name:
            raise BadCallback
        if attempt.browser_digest is not None and not constant_time_equal(
            attempt.browser_digest, sha256_hex(browser_secret or "")
        ):
            raise BadCallback
        return await provider.exchange(attempt, code)

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise ProviderUnknown
        return provider
