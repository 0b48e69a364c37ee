"""What an API key is, and how its secret is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from specloop.kit.crypto import checksummed, has_valid_checksum, random_token

PREFIX = "sk_live_"
SECRET_BYTES = 32


class KeyStatus(StrEnum):
    """active → revoked (final) or expired (spectral.md §1.2.3)."""

    ACTIVE = "active"
    REVOKED = "revoked"
    EXPIRED = "expired"


def new_secret() -> str:
    """A fresh plaintext key: prefix, 32 random bytes in base62, checksum."""
    return PREFIX + checksummed(random_token(SECRET_BYTES))


def looks_like_key(text: str) -> bool:
    """Whether `text` was ever made by `new_secret`; a typo is refused before any look-up."""
    return text.startswith(PREFIX) and len(text) < 100 and has_valid_checksum(text.removeprefix(PREFIX))


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its workspace sees it: never the secret, only its ends."""

    id: str
    account_id: str
    workspace_id: str
    name: str
    prefix: str
    last4: str
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_from: str | None

    def status_at(self, moment: datetime) -> KeyStatus:
        """The state at `moment`; expiry needs no write."""
        if self.revoked_at is not None:
            return KeyStatus.REVOKED
        if self.expires_at is not None and self.expires_at <= moment:
            return KeyStatus.EXPIRED
        return KeyStatus.ACTIVE
