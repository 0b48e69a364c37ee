"""An invitation and its states: pending → accepted | revoked | expired (spectral.md §1.2.3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from specloop.identity.scopes import AccountRole, WorkspaceRole

INVITE_LIFETIME = timedelta(days=7)


class InviteStatus(StrEnum):
    """All but `pending` are final."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REVOKED = "revoked"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Grant:
    """A workspace that the invitation opens, and as what."""

    workspace_id: str
    role: WorkspaceRole


@dataclass(frozen=True, slots=True)
class Invite:
    """An invitation of `email` into an account and some of its workspaces."""

    id: str
    account_id: str
    email: str
    account_role: AccountRole
    grants: tuple[Grant, ...]
    status: InviteStatus
    created_by: str
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    accepted_by: str | None

    def seen_at(self, now: datetime) -> Invite:
        """The invitation as it stands at `now`: a pending one past its time has expired."""
        if self.status is InviteStatus.PENDING and now >= self.expires_at:
            return replace(self, status=InviteStatus.EXPIRED)
        return self
