"""Workspaces on the wire (spectral.md §1.3 router 3)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from specloop.identity.scopes import AccountRole, WorkspaceRole, workspace_scopes
from specloop.identity.workspaces.model import (
    Autonomy,
    AutonomyBounds,
    AutonomyMode,
    AutoRollback,
    Person,
    QuietHours,
    Retention,
    Risk,
    RollbackMetric,
    VisibleWorkspace,
    Workspace,
    WorkspaceStatus,
)
from specloop.identity.workspaces.service.health import Health
from specloop.transport.schema import Email, Input, Moment, Name, Output, TimeZone

Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
UserId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Pointer = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^(/[^/\x00]+)+$")]
Days = Annotated[int, Field(ge=1, le=36_500)]


class WorkspaceCreate(Input):
    """A new workspace."""

    name: Name
    description: Description = ""


class WorkspacePatch(Input):
    """What may be changed; a member that is left out stays."""

    name: Name = ""
    description: Description = ""
    timezone: TimeZone = "UTC"


class WorkspaceBody(Output):
    """A workspace; `role` and `scopes` are the caller's own in it."""

    id: str
    account_id: str
    name: str
    description: str
    status: WorkspaceStatus
    is_system: bool
    timezone: str
    autonomy_mode: AutonomyMode
    role: WorkspaceRole | None
    scopes: list[str]
    version: int
    created_at: Moment
    updated_at: Moment
    archived_at: Moment | None
    created_by: str | None


def render_workspace(workspace: Workspace, role: WorkspaceRole | None, scopes: frozenset[str]) -> dict[str, Any]:
    """The members of `WorkspaceBody`."""
    return {
        "id": workspace.id,
        "account_id": workspace.account_id,
        "name": workspace.name,
        "description": workspace.description,
        "status": workspace.status,
        "is_system": workspace.is_system,
        "timezone": workspace.timezone,
        "autonomy_mode": workspace.autonomy.mode,
        "role": role,
        "scopes": sorted(scopes),
        "version": workspace.version,
        "created_at": workspace.created_at,
        "updated_at": workspace.updated_at,
        "archived_at": workspace.archived_at,
        "created_by": workspace.created_by,
    }


def render_visible(found: VisibleWorkspace, account_role: str | None) -> dict[str, Any]:
    """A row of the list, with the scopes that the caller would hold inside."""
    scopes = workspace_scopes(AccountRole(account_role or AccountRole.MEMBER), found.role)
    return render_workspace(found.workspace, found.role, scopes)


class MemberAdd(Input):
    """A user of the account, by id or by e-mail."""

    user_id: UserId | None = None
    email: Email | None = None
    role: WorkspaceRole

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [name], "properties": {name: {"type": "string"}, other: {"type": "null"}}}
                for name, other in (("user_id", "email"), ("email", "user_id"))
            ]
        }
    )

    @model_validator(mode="after")
    def _one_name(self) -> MemberAdd:
        if (self.user_id is None) == (self.email is None):
            raise ValueError("name the user by either user_id or email")
        return self


class MemberPatch(Input):
    """A member's new role."""

    role: WorkspaceRole


class MemberBody(Output):
    """A member with the profile that the account keeps."""

    user_id: str
    email: str
    name: str
    role: WorkspaceRole
    version: int
    created_at: Moment


def render_person(person: Person) -> dict[str, Any]:
    """The members of `MemberBody`."""
    member = person.member
    return {
        "user_id": member.user_id,
        "email": person.email,
        "name": person.name,
        "role": member.role,
        "version": member.version,
        "created_at": member.created_at,
    }


class QuietHoursBody(Input):
    """A daily span in the workspace's time zone, as HH:MM; it may cross midnight."""

    start: TimeOfDay
    end: TimeOfDay


class AutonomyBoundsBody(Input):
    """Limits of `bounded_auto`; empty `allowed_components` and empty `agents` narrow nothing."""

    max_auto_per_day: Annotated[int, Field(ge=0, le=1000)] = 3
    max_text_delta_chars: Annotated[int, Field(ge=0, le=100_000)] = 400
    allowed_components: list[Pointer] = Field(default_factory=list[str], max_length=200)
    min_effect: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.02
    max_risk: Risk = "low"
    quiet_hours: list[QuietHoursBody] = Field(default_factory=list[QuietHoursBody], max_length=20)
    agents: list[UserId] = Field(default_factory=list[str], max_length=500)


class AutoRollbackBody(Input):
    """When an automatic change is undone by itself."""

    enabled: bool = True
    window_h: Annotated[int, Field(ge=1, le=720)] = 24
    metric: RollbackMetric = "score"
    drop: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.05


class AutonomyBody(Input):
    """The autonomy settings; members that are left out get their defaults (spectral.md §1.2.4)."""

    mode: AutonomyMode
    auto_validate: bool = True
    bounds: AutonomyBoundsBody = AutonomyBoundsBody()
    auto_rollback: AutoRollbackBody = AutoRollbackBody()

    def to_model(self) -> Autonomy:
        """The settings as the domain knows them."""
        bounds = self.bounds
        return Autonomy(
            mode=self.mode,
            auto_validate=self.auto_validate,
            bounds=AutonomyBounds(
                max_auto_per_day=bounds.max_auto_per_day,
                max_text_delta_chars=bounds.max_text_delta_chars,
                allowed_components=tuple(bounds.allowed_components),
                min_effect=bounds.min_effect,
                max_risk=bounds.max_risk,
                quiet_hours=tuple(QuietHours(span.start, span.end) for span in bounds.quiet_hours),
                agents=tuple(bounds.agents),
            ),
            auto_rollback=AutoRollback(**self.auto_rollback.model_dump()),
        )


class RetentionBody(Input):
    """Days that each kind of record is kept; null keeps it for ever, left out means the default.

    Conversations are not recorded yet: `conversations_days` deletes nothing.
    """

    traces_days: Days | None = 90
    scan_events_days: Days | None = 180
    conversations_days: Days | None = 365
    audit_days: Days | None = None
    sessions_days: Days | None = None

    def to_model(self) -> Retention:
        """The settings as the domain knows them."""
        return Retention(**self.model_dump())


class IngestHealth(Output):
    """How trace ingestion is doing."""

    last_span_at: str | None
    spans_24h: int
    lag_ms: float | None
    rejected_24h: int


class IssueBody(Output):
    """Something a person should look at."""

    code: str
    severity: Literal["info", "warning", "critical"]
    detail: str


class HealthBody(Output):
    """The health of a workspace; `score` is 100 when nothing is wrong."""

    ingest: IngestHealth
    agents: dict[str, Any]
    scans: dict[str, Any]
    queue: dict[str, Any]
    models: dict[str, Any]
    score: Annotated[int, Field(ge=0, le=100)]
    issues: list[IssueBody]


def render_health(health: Health) -> dict[str, Any]:
    """The members of `HealthBody`."""
    issues = [{"code": i.code, "severity": i.severity, "detail": i.detail} for i in health.issues]
    return {**health.sections, "score": health.score, "issues": issues}


def render_autonomy(autonomy: Autonomy) -> dict[str, Any]:
    """The members of `AutonomyBody`."""
    return asdict(autonomy)


def aware(moment: datetime | None) -> datetime | None:
    """A query's time filter; without an offset it means UTC."""
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=UTC)
