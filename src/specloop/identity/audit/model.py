"""An audit event and the questions one may ask of the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One recorded act. `workspace_id` is None for what concerns the account as a whole."""

    id: str
    account_id: str
    workspace_id: str | None
    actor_id: str
    actor_kind: str
    actor_name: str
    action: str
    target_type: str
    target_id: str
    detail: dict[str, Any]
    request_id: str
    client_ip: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events: `since` is inclusive, `until` exclusive; None does not narrow."""

    account_id: str
    workspace_id: str | None = None
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
