"""What can go wrong with invitations."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound


class InviteNotFound(NotFound):
    """Invitation not found"""


class AlreadyMember(BusinessRule):
    """This person is already a member of the account"""


class InviteUnusable(BusinessRule):
    """This invitation cannot be used: it was accepted, revoked, has expired, or is for another e-mail address"""


class UnknownWorkspace(BusinessRule):
    """The invitation names a workspace that is not an active one of this account"""
