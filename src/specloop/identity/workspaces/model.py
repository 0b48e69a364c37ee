"""What a workspace is: its states, members, autonomy and retention, and the rules on them that need no store."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from specloop.identity.scopes import WorkspaceRole

DELETION_GRACE_DAYS = 30
DEFAULT_NAME = "Default"
SYSTEM_NAME = "system"


class WorkspaceStatus(StrEnum):
    """active → archived → (after 30 days of grace) deleted (spectral.md §1.2.3)."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class AutonomyMode(StrEnum):
    """How much the system may do by itself, least first (spectral.md §1.2.4)."""

    OBSERVE_ONLY = "observe_only"
    RECOMMEND = "recommend"
    MANUAL = "manual"
    BOUNDED_AUTO = "bounded_auto"


Risk = Literal["low", "medium", "high"]
RollbackMetric = Literal["score", "error_rate", "p95_latency_ms", "cost_micro_usd"]


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A daily span in the workspace's time zone in which nothing is applied automatically; may cross midnight."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class AutonomyBounds:
    """Limits of `bounded_auto`, on top of components having to be marked `auto`.

    `allowed_components` are JSON pointer prefixes, `agents` are ids; empty ones narrow nothing.
    """

    max_auto_per_day: int = 3
    max_text_delta_chars: int = 400
    allowed_components: tuple[str, ...] = ()
    min_effect: float = 0.02
    max_risk: Risk = "low"
    quiet_hours: tuple[QuietHours, ...] = ()
    agents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AutoRollback:
    """Undo an automatic change when `metric` worsens by the share `drop` within `window_h` hours."""

    enabled: bool = True
    window_h: int = 24
    metric: RollbackMetric = "score"
    drop: float = 0.05


@dataclass(frozen=True, slots=True)
class Autonomy:
    """The autonomy settings of a workspace; a new one is `manual`, so that accept and apply work at once."""

    mode: AutonomyMode = AutonomyMode.MANUAL
    auto_validate: bool = True
    bounds: AutonomyBounds = field(default_factory=AutonomyBounds)
    auto_rollback: AutoRollback = field(default_factory=AutoRollback)

    def as_document(self) -> dict[str, Any]:
        """The JSON form, on the wire and in the table."""
        return asdict(self)

    @staticmethod
    def from_document(document: dict[str, Any]) -> Autonomy:
        """The settings in a stored document; members that an older version did not write get their defaults."""
        bounds: dict[str, Any] = dict(document.get("bounds") or {})
        hours: list[dict[str, str]] = bounds.get("quiet_hours") or []
        bounds["quiet_hours"] = tuple(QuietHours(**span) for span in hours)
        for name in ("allowed_components", "agents"):
            bounds[name] = tuple[str, ...](bounds.get(name) or ())
        rollback: dict[str, Any] = document.get("auto_rollback") or {}
        return Autonomy(
            mode=AutonomyMode(document.get("mode", AutonomyMode.MANUAL)),
            auto_validate=document.get("auto_validate", True),
            bounds=AutonomyBounds(**bounds),
            auto_rollback=AutoRollback(**rollback),
        )


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days each kind of record is kept; None keeps it for ever.

    Traces and sessions count from their own last moment, not from their upload. There are no conversations yet, so
    `conversations_days` is remembered and deletes nothing.
    """

    traces_days: int | None = 90
    scan_events_days: int | None = 180
    conversations_days: int | None = 365
    audit_days: int | None = None
    sessions_days: int | None = None

    def as_document(self) -> dict[str, Any]:
        """The JSON form, on the wire and in the table."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A room of an account. `version` counts its changes and is its ETag."""

    id: str
    account_id: str
    name: str
    description: str
    status: WorkspaceStatus
    is_system: bool
    timezone: str
    autonomy: Autonomy
    retention: Retention
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: str | None
    archived_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Whether it can still be worked in."""
        return self.status is WorkspaceStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class WorkspaceMember:
    """A user's role in one workspace."""

    workspace_id: str
    user_id: str
    role: WorkspaceRole
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """A member together with the profile that the account keeps."""

    member: WorkspaceMember
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class VisibleWorkspace:
    """A workspace with what the asking user is in it; `role` is None where an account role lets it in."""

    workspace: Workspace
    role: WorkspaceRole | None
