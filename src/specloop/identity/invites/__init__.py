"""Invitations into an account and its workspaces."""

from specloop.identity.invites.errors import AlreadyMember, InviteUnusable
from specloop.identity.invites.model import Grant, Invite, InviteStatus
from specloop.identity.invites.service import MAIL_JOB, InviteService, Issued, withdraw_places

__all__ = [
    "MAIL_JOB",
    "AlreadyMember",
    "Grant",
    "Invite",
    "InviteService",
    "InviteStatus",
    "InviteUnusable",
    "Issued",
    "withdraw_places",
]
