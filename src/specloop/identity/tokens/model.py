"""Sessions and tokens, and how long each lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

ACCESS_LIFETIME = timedelta(hours=1)
REFRESH_LIFETIME = timedelta(days=30)
RESET_LIFETIME = timedelta(hours=1)
SETUP_LIFETIME = timedelta(days=7)


class Purpose(StrEnum):
    """What a one-time token is good for."""

    PASSWORD_RESET = "password_reset"  # noqa: S105  the name of a purpose
    OWNER_SETUP = "owner_setup"


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in client of a user."""

    id: str
    user_id: str
    method: str
    user_agent: str
    client_ip: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    revoked_because: str | None

    def is_live(self, now: datetime) -> bool:
        """Whether the session still lets its user in."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified access token says. `expires_at` is in seconds since the epoch."""

    user_id: str
    session_id: str
    audience: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class TokenPair:
    """A fresh access token with the refresh token that renews it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in: int
    session: Session
