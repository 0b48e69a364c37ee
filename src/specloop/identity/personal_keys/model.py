"""What a personal key is, and how its secret is written (specstep.md §4.1)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

PREFIX: Final = "sf_"
PREFIX_SHOWN: Final = 8
READ: Final = frozenset({"read:workspace"})
READ_WRITE: Final = frozenset({"read:workspace", "write:workspace"})
_SECRET = re.compile(r"sf_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class PersonalKey:
    """A key as its owner sees it: never the secret, only its first eight characters."""

    id: str
    user_id: str
    name: str
    prefix: str
    can_write: bool
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do, where its owner may do it too: reading methods need read, all others write."""
        return READ_WRITE if self.can_write else READ

    def state_at(self, moment: datetime) -> str:
        """`active`, `revoked` or `expired` at `moment`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= moment else "active"


@dataclass(frozen=True, slots=True)
class NewPersonalKey:
    """A key together with its secret, for the one page that shows it."""

    key: PersonalKey
    secret: str = field(repr=False)


def new_secret() -> str:
    """`sf_` and 256 random bits as 43 characters of base64url."""
    return PREFIX + secrets.token_urlsafe(32)


def looks_like_key(text: str) -> bool:
    """Whether `text` has the form of a secret."""
    return _SECRET.fullmatch(text) is not None
