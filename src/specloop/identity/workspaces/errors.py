"""What can go wrong with workspaces."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class WorkspaceNotFound(NotFound):
    """Workspace not found"""


class MemberNotFound(NotFound):
    """The user is not a member of this workspace"""


class WorkspaceArchived(BusinessRule):
    """The workspace is archived, so nothing in it can be changed"""


class SystemWorkspaceFixed(BusinessRule):
    """The system workspace belongs to the server and cannot be changed"""


class LastAdmin(BusinessRule):
    """The workspace would be left without an admin, and the account has no owner who could step in"""


class AlreadyMember(BusinessRule):
    """The user is already a member of this workspace"""


class NotInAccount(BusinessRule):
    """The user does not belong to this account; invite the user first"""
