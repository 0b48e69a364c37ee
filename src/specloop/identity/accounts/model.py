"""Accounts, users and the rules that need no storage."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from specloop.identity.scopes import AccountRole

PLAN_DEFAULT = "self-hosted"
SYSTEM_NAME = "system"


class AccountStatus(StrEnum):
    """`deleting` accounts sign nobody in; their data goes with the deletion job."""

    ACTIVE = "active"
    DELETING = "deleting"


class UserStatus(StrEnum):
    """Only `active` users are let in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant; `is_system` is the program's own, where it records itself."""

    id: str
    name: str
    plan: str
    settings: dict[str, Any]
    is_system: bool
    status: AccountStatus
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class User:
    """A person with a home account; roles are in `Membership`.

    `email_verified_at` is set once somebody else vouched for the address: an inviter, the operator, a mail, a provider.
    """

    id: str
    account_id: str
    email: str
    name: str
    timezone: str
    email_verified_at: datetime | None
    password_hash: str | None = field(repr=False)
    status: UserStatus
    version: int
    created_at: datetime
    updated_at: datetime
    last_sign_in_at: datetime | None

    @property
    def is_active(self) -> bool:
        """Whether the user may sign in."""
        return self.status is UserStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Membership:
    """What a user is in one account. `operations_scopes` is the subset that a staff member holds."""

    account_id: str
    user_id: str
    role: AccountRole
    operations_scopes: frozenset[str]
    joined_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user together with the membership in the account that is looked at."""

    user: User
    membership: Membership


class ExportStatus(StrEnum):
    """Where an export stands."""

    QUEUED = "queued"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class Export:
    """A requested copy of everything that an account holds."""

    id: str
    account_id: str
    status: ExportStatus
    blob_digest: str | None
    requested_by: str
    created_at: datetime
    finished_at: datetime | None
