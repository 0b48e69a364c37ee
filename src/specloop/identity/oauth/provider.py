"""One OpenID Connect provider: discovery, the authorisation address, the exchange of a code for a verified person.

Authlib speaks OAuth; the identity token is verified with joserfc. The issuer is the operator's choice, so its addresses
are trusted to be called; what it answers is not.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol, cast

import httpx
from authlib.common.errors import AuthlibBaseError
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from specloop.identity.oauth.errors import BadCallback, ProviderUnreachable
from specloop.identity.oauth.model import Attempt, Profile, ProviderConfig
from specloop.kit.crypto import constant_time_equal

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
METADATA_SECONDS = 3600.0
TIMEOUT_SECONDS = 10.0
SKEW_SECONDS = 120


class _OAuthClient(Protocol):
    def create_authorization_url(self, url: str, **parameters: Any) -> tuple[str, str]: ...

    async def fetch_token(self, url: str, **parameters: Any) -> Mapping[str, Any]: ...

    async def aclose(self) -> None: ...


class Provider:
    """Talks to one provider; its metadata and keys are kept for an hour."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self._metadata: dict[str, Any] = {}
        self._keys = KeySet([])
        self._read_at = float("-inf")

    async def authorization_url(self, attempt: Attempt, state: str) -> str:
        """Where the browser goes to sign in.

        Raises: ProviderUnreachable.
        """
        metadata = await self._discover()
        client = self._client(attempt.redirect_uri)
        try:
            url, _ = client.create_authorization_url(
                metadata["authorization_endpoint"],
                state=state,
                nonce=attempt.nonce,
                code_verifier=attempt.code_verifier,
            )
        finally:
            await client.aclose()
        return url

    async def exchange(self, attempt: Attempt, code: str) -> Profile:
        """The person behind an authorisation code.

        Raises: BadCallback when the provider refuses or its identity token does not fit; ProviderUnreachable.
        """
        metadata = await self._discover()
        client = self._client(attempt.redirect_uri)
        try:
            answer = await client.fetch_token(
                metadata["token_endpoint"],
                code=code,
                code_verifier=attempt.code_verifier,
                grant_type="authorization_code",
            )
        except AuthlibBaseError as error:
            raise BadCallback from error
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnreachable(retry_after=10) from error
        finally:
            await client.aclose()
        claims = await self._verified(str(answer.get("id_token", "")), attempt)
        return self._profile(claims)

    def _profile(self, claims: Mapping[str, Any]) -> Profile:
        email = claims.get("email")
        return Profile(
            provider=self.config.name,
            subject=str(claims["sub"]),
            email=email.strip().lower() if isinstance(email, str) else "",
            is_email_verified=claims.get("email_verified") is True,
            name=str(claims.get("name") or "")[:100],
        )

    async def _verified(self, id_token: str, attempt: Attempt) -> Mapping[str, Any]:
        """The claims of an identity token that is for us and this attempt (OpenID Connect Core §3.1.3.7)."""
        try:
            kid = jws.extract_compact(id_token.encode("ascii")).headers().get("kid")
            if kid is not None and kid not in {key.kid for key in self._keys.keys}:
                await self._discover(is_forced=True)  # the provider may have rotated its keys
            claims = jwt.decode(id_token, self._keys, algorithms=ALGORITHMS).claims
        except (JoseError, ValueError, TypeError) as error:
            raise BadCallback from error
        self._check_claims(claims, attempt)
        return claims

    def _check_claims(self, claims: Mapping[str, Any], attempt: Attempt) -> None:
        audience = claims.get("aud")
        audiences = cast("list[Any]", audience) if isinstance(audience, list) else [audience]
        now, expires_at = time.time(), claims.get("exp")
        is_right = (
            claims.get("iss") == self._metadata["issuer"]
            and self.config.client_id in audiences
            and (len(audiences) == 1 or claims.get("azp") == self.config.client_id)
            and isinstance(expires_at, int | float)
            and expires_at > now - SKEW_SECONDS
            and constant_time_equal(str(claims.get("nonce", "")), attempt.nonce)
            and isinstance(claims.get("sub"), str)
            and 0 < len(str(claims["sub"])) <= 255
        )
        if not is_right:
            raise BadCallback

    def _client(self, redirect_uri: str) -> _OAuthClient:
        # Loaded here, because most installations have no provider, and it brings a second HTTP library.
        library = import_module("authlib.integrations.httpx_client")
        return cast(
            "_OAuthClient",
            library.AsyncOAuth2Client(
                client_id=self.config.client_id,
                client_secret=self.config.client_secret,
                scope=self.config.scopes,
                redirect_uri=redirect_uri,
                code_challenge_method="S256",
                timeout=TIMEOUT_SECONDS,
            ),
        )

    async def _discover(self, *, is_forced: bool = False) -> dict[str, Any]:
        now = time.monotonic()
        if now - self._read_at < (1.0 if is_forced else METADATA_SECONDS):
            return self._metadata
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client:
                metadata = await _read(client, f"{self.config.issuer.rstrip('/')}/.well-known/openid-configuration")
                keys = await _read(client, str(metadata["jwks_uri"]))
            if str(metadata["issuer"]).rstrip("/") != self.config.issuer.rstrip("/"):
                raise ProviderUnreachable("the sign-in provider's metadata names another issuer", retry_after=60)
            self._keys = KeySet.import_key_set(cast("Any", keys))
        except (httpx.HTTPError, JoseError, ValueError, KeyError) as error:
            raise ProviderUnreachable(retry_after=10) from error
        self._metadata, self._read_at = metadata, now
        return metadata


async def _read(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    response = await client.get(url, headers={"Accept": "application/json"})
    response.raise_for_status()
    document = response.json()
    if not isinstance(document, dict):
        raise ValueError(f"{url} is no JSON object")
    return cast("dict[str, Any]", document)
