"""A running sign-in attempt and what a provider says of a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

ATTEMPT_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in on its way; the secrets bind the provider's answer to it (RFC 7636, OpenID Connect Core §3.1.2.1).

    `browser_digest` binds it to the browser that was sent away, where there is one.
    """

    provider: str
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str
    browser_digest: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    """A verified identity token's person. `email` counts only when `is_email_verified`."""

    provider: str
    subject: str
    email: str
    is_email_verified: bool
    name: str


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """A provider as the operator configured it."""

    name: str
    client_id: str
    client_secret: str = field(repr=False)
    issuer: str
    scopes: str = "openid email profile"
    label: str = ""
