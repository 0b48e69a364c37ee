"""Device codes, devices and their tokens, and how each is written (specstory.md §1.1)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from specloop.kit.crypto import random_token

CODE_LIFETIME = timedelta(hours=24)
REFRESH_LIFETIME = timedelta(days=3650)
ACCESS_LIFETIME = timedelta(hours=1)
ACCESS_PREFIX = "dat_"
REFRESH_PREFIX = "drt_"
TOKEN_LENGTH_MAX = 100
CODES_PER_USER_MAX = 10
"""Unused codes that a user may have: each look at the page makes one, and the tabs before it stay good."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
"""Letters and digits but for 0, O, 1, I and l, which people take for each other."""
_CODE = re.compile(r"[A-Za-z0-9]{6}")


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """A fresh code, for the one page or terminal that shows it."""

    code: str = field(repr=False)
    expires_at: datetime

    @property
    def shown(self) -> str:
        """The code as people read it, `Ab1-c23`; clients take the dash away."""
        return f"{self.code[:3]}-{self.code[3:]}"


@dataclass(frozen=True, slots=True)
class Origin:
    """What a device says about itself; nothing of it is trusted."""

    hostname: str = ""
    username: str = ""
    os: str = ""
    os_version: str = ""
    os_display_name: str = ""
    architecture: str = ""
    client: str = ""
    client_version: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """A linked device."""

    id: str
    user_id: str
    origin: Origin
    client_ip: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    revoked_at: datetime | None

    @property
    def name(self) -> str:
        """What the owner recognises it by."""
        return self.origin.hostname or self.origin.client or "unnamed device"

    def is_live(self, now: datetime) -> bool:
        """Whether its tokens are good."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class LinkedDevice:
    """A device that was just linked, with its refresh token."""

    device: Device
    email: str
    refresh_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A fresh access token."""

    token: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


def new_code() -> str:
    """Six random characters, one of 3.4e10; guesses are throttled and codes live for a day."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(6))


def is_code(text: str) -> bool:
    """Whether `text` has the form of a code; case matters."""
    return _CODE.fullmatch(text) is not None


def without_dash(text: str) -> str:
    """`Ab1-c23` as `Ab1c23`: clients take the dash away, people with other tools forget to."""
    return text[:3] + text[4:] if len(text) == 7 and text[3] == "-" else text


def new_refresh_token() -> str:
    """An opaque refresh token."""
    return REFRESH_PREFIX + random_token()


def new_access_token() -> str:
    """An opaque access token."""
    return ACCESS_PREFIX + random_token()
