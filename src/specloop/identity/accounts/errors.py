"""What can go wrong with accounts and the people in them."""

from __future__ import annotations

from specloop.errors import BusinessRule, NotFound, Unavailable, ValidationFailed


class EmailTaken(BusinessRule):
    """This registration cannot be completed; if you have an account, sign in or reset the password."""


class MemberNotFound(NotFound):
    """The user is not a member of this account"""


class AccountNotFound(NotFound):
    """Account not found"""


class LastOwner(BusinessRule):
    """The account would be left without an owner; make somebody else an owner first"""


class StaffRoleFixed(BusinessRule):
    """Staff are named by the operator on the command line, not here"""


class SystemAccountFixed(BusinessRule):
    """The server's own account cannot be deleted"""


class ExportNotFound(NotFound):
    """Export not found"""


class ExportNotReady(BusinessRule):
    """The export is not ready yet"""


class PasswordLength(ValidationFailed):
    """The password is too short or too long"""


class HashingBusy(Unavailable):
    """Too many people are signing in at this moment"""
