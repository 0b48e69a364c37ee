"""The eleven scopes and what each role holds (spectral.md §1.0.1). Pure rules, no storage."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """What a credential may do."""

    READ_WORKSPACE = "read:workspace"
    WRITE_WORKSPACE = "write:workspace"
    APPROVE_AGENTS = "approve:agents"
    ADMIN_WORKSPACE = "admin:workspace"
    ADMIN_ACCOUNT = "admin:account"
    READ_AGENTS = "read:agents"
    WRITE_TRACES = "write:traces"
    READ_OPERATIONS = "read:operations"
    WRITE_OPERATIONS = "write:operations"
    ADMIN_OPERATIONS = "admin:operations"
    DELETE_OPERATIONS = "delete:operations"


class AccountRole(StrEnum):
    """What a user is in the account."""

    OWNER = "owner"
    MEMBER = "member"
    OPERATIONS = "operations"


class WorkspaceRole(StrEnum):
    """What a user is in one workspace."""

    ADMIN = "admin"
    CONTRIBUTOR = "contributor"
    OBSERVER = "observer"


KEY_SCOPES = frozenset({Scope.READ_AGENTS, Scope.WRITE_TRACES})
OPERATIONS_SCOPES = frozenset(scope for scope in Scope if scope.endswith(":operations"))
OWNER_SCOPES = frozenset(Scope) - OPERATIONS_SCOPES

_BY_WORKSPACE_ROLE: dict[WorkspaceRole, frozenset[Scope]] = {
    WorkspaceRole.ADMIN: frozenset(
        {
            Scope.READ_WORKSPACE,
            Scope.WRITE_WORKSPACE,
            Scope.APPROVE_AGENTS,
            Scope.ADMIN_WORKSPACE,
            Scope.READ_AGENTS,
        }
    ),
    WorkspaceRole.CONTRIBUTOR: frozenset({Scope.READ_WORKSPACE, Scope.WRITE_WORKSPACE, Scope.READ_AGENTS}),
    WorkspaceRole.OBSERVER: frozenset({Scope.READ_WORKSPACE}),
}


def account_scopes(role: AccountRole) -> frozenset[str]:
    """What an account role holds where no workspace is chosen."""
    match role:
        case AccountRole.OWNER:
            return frozenset({Scope.ADMIN_ACCOUNT})
        case AccountRole.OPERATIONS:
            return frozenset({Scope.ADMIN_ACCOUNT, *OPERATIONS_SCOPES})
        case AccountRole.MEMBER:
            return frozenset()


def workspace_scopes(account_role: AccountRole, role: WorkspaceRole | None) -> frozenset[str]:
    """What a user holds inside a workspace of the own account; empty means that it is invisible."""
    match account_role:
        case AccountRole.OWNER:
            return frozenset(OWNER_SCOPES)
        case AccountRole.OPERATIONS:
            return frozenset(Scope)
        case AccountRole.MEMBER:
            return frozenset(_BY_WORKSPACE_ROLE[role]) if role is not None else frozenset()
