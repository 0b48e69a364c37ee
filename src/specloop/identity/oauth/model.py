"""A running sign-in attempt and what a provider says of a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

ATTEMPT_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in on its way; the secrets bind the provider's answer to it (RFC 7636, OpenID Connect §3.1.2.1)."""

    provider: str
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A verified identity token's person. `email` counts only when `is_email_verified`."""

    provider: str
    subject: str
    email: str
    is_email_verified: bool
    name: str
