"""What registering and signing in need and give."""

from __future__ import annotations

from dataclasses import dataclass, field

from specloop.identity.accounts import User
from specloop.identity.tokens import TokenPair


@dataclass(frozen=True, slots=True)
class Registration:
    """Who wants in. `invite_token` is an invitation's, or the one-time token that makes the first owner."""

    email: str
    password: str = field(repr=False)
    tenant_name: str | None = None
    name: str = ""
    timezone: str = "UTC"
    invite_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A user with a fresh session, and where the user lands; some users see no workspace yet."""

    user: User
    tokens: TokenPair
    account_id: str
    workspace_id: str | None
