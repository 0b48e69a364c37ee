"""Accounts and the people in them: profiles, roles, passwords, usage, export and deletion."""

from specloop.identity.accounts.belongings import Exporting, ReadRow, Section
from specloop.identity.accounts.errors import EmailTaken, MemberNotFound
from specloop.identity.accounts.model import Account, AccountStatus, Member, Membership, User, UserStatus
from specloop.identity.accounts.passwords import Passwords, paused
from specloop.identity.accounts.repository import list_accounts
from specloop.identity.accounts.service.leaving import Elsewhere, LeavingService
from specloop.identity.accounts.service.people import (
    NewUser,
    create_account,
    create_user,
    ensure_system,
    find_account,
    find_members,
    find_user,
    find_user_by_email,
    has_owner,
    is_empty_server,
    join,
    make_staff,
    membership,
    memberships,
    note_sign_in,
    set_password,
    verify_email,
)
from specloop.identity.accounts.service.profile import change_home, change_profile
from specloop.identity.accounts.service.standing import AccountService, UsageGroup, UsageLine

__all__ = [
    "Account",
    "AccountService",
    "AccountStatus",
    "Elsewhere",
    "EmailTaken",
    "Exporting",
    "LeavingService",
    "Member",
    "MemberNotFound",
    "Membership",
    "NewUser",
    "Passwords",
    "ReadRow",
    "Section",
    "UsageGroup",
    "UsageLine",
    "User",
    "UserStatus",
    "change_home",
    "change_profile",
    "create_account",
    "create_user",
    "ensure_system",
    "find_account",
    "find_members",
    "find_user",
    "find_user_by_email",
    "has_owner",
    "is_empty_server",
    "join",
    "list_accounts",
    "make_staff",
    "membership",
    "memberships",
    "note_sign_in",
    "paused",
    "set_password",
    "verify_email",
]
