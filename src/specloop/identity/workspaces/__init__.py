"""Workspaces: the rooms of an account that every row of every stage belongs to, and who is what in them.

Behind this door also live a workspace's autonomy, retention and health. It knows accounts, but no key and no session.
"""

from specloop.identity.workspaces.model import (
    Autonomy,
    AutonomyBounds,
    AutonomyMode,
    AutoRollback,
    QuietHours,
    Retention,
    VisibleWorkspace,
    Workspace,
    WorkspaceMember,
    WorkspaceStatus,
)
from specloop.identity.workspaces.service.health import HealthProbe, HealthService, Issue, Section
from specloop.identity.workspaces.service.standing import (
    add_member,
    create_first,
    current,
    current_active,
    ensure_system,
    find,
    find_system,
    role_of,
    sees_all,
    visible,
)

__all__ = [
    "AutoRollback",
    "Autonomy",
    "AutonomyBounds",
    "AutonomyMode",
    "HealthProbe",
    "HealthService",
    "Issue",
    "QuietHours",
    "Retention",
    "Section",
    "VisibleWorkspace",
    "Workspace",
    "WorkspaceMember",
    "WorkspaceStatus",
    "add_member",
    "create_first",
    "current",
    "current_active",
    "ensure_system",
    "find",
    "find_system",
    "role_of",
    "sees_all",
    "visible",
]
