"""Use cases of invitations.

The token is shown or mailed once and kept as a digest. With a mail server the token is made by the very job that
sends the mail, so that it lies in no table and no job.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from specloop import jobs
from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import InvalidTransition
from specloop.identity import accounts, audit, workspaces
from specloop.identity.accounts import User
from specloop.identity.invites import repository
from specloop.identity.invites.errors import AlreadyMember, InviteNotFound, InviteUnusable, UnknownWorkspace
from specloop.identity.invites.model import INVITE_LIFETIME, Grant, Invite, InviteStatus
from specloop.identity.scopes import AccountRole
from specloop.kit.crypto import Pepper, random_token
from specloop.kit.ids import new_id

TOKEN_PREFIX = "inv_"  # noqa: S105  the prefix of every invitation token
MAIL_JOB = "invites.mail"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new invitation; `token` is None when it goes out by mail."""

    invite: Invite
    token: str | None = field(repr=False)


class InviteService:
    """Invites, revokes and accepts. `has_mailer`: tokens go out by mail instead of in the answer."""

    def __init__(self, pepper: Pepper, *, has_mailer: bool) -> None:
        self._pepper = pepper
        self._has_mailer = has_mailer

    async def create(self, ctx: Context, email: str, role: AccountRole, grants: tuple[Grant, ...]) -> Issued:
        """Invite somebody into the caller's account; an earlier pending invitation of the address is revoked.

        Raises: AlreadyMember; UnknownWorkspace.
        """
        account_id = ctx.principal.account_id
        user = await accounts.find_user_by_email(ctx, email)
        if user is not None and await accounts.membership(ctx, account_id, user.id) is not None:
            raise AlreadyMember
        await _check_grants(ctx, grants)
        for earlier in await repository.find_pending(ctx, account_id, email):
            await self._decide(ctx, earlier.id, InviteStatus.REVOKED)
        invite = _new_invite(ctx, email, role, grants)
        token = _new_token()
        await repository.add(ctx, invite, self._pepper.digest(token))
        detail = {"email": email, "account_role": role.value}
        await audit.record(ctx, "invite.created", "invite", invite.id, detail)
        if not self._has_mailer:
            return Issued(invite, token)
        await jobs.enqueue(ctx, MAIL_JOB, {"invite_id": invite.id}, queue="maintenance")
        return Issued(invite, None)

    async def list(self, ctx: Context, status: InviteStatus | None, page: PageRequest) -> Page[Invite]:
        """The account's invitations, newest first."""
        return await repository.list_invites(ctx, ctx.principal.account_id, status, page)

    async def revoke(self, ctx: Context, invite_id: str) -> None:
        """Make a pending invitation worthless.

        Raises: InviteNotFound; InvalidTransition when it is not pending any more.
        """
        invite = await self._own(ctx, invite_id)
        if invite.status is not InviteStatus.PENDING:
            raise InvalidTransition.of("the invitation", invite.status, InviteStatus.REVOKED, [])
        await self._decide(ctx, invite.id, InviteStatus.REVOKED)
        await audit.record(ctx, "invite.revoked", "invite", invite.id, {"email": invite.email})

    async def renew_token(self, ctx: Context, invite_id: str) -> tuple[Invite, str] | None:
        """A fresh token for the mail of a pending invitation; None when it is not pending any more."""
        invite = await repository.find(ctx, ctx.principal.account_id, invite_id)
        if invite is None or invite.seen_at(ctx.clock.now()).status is not InviteStatus.PENDING:
            return None
        token = _new_token()
        await repository.change(ctx, invite_id, {"token_digest": self._pepper.digest(token)})
        return invite, token

    async def preview(self, ctx: Context, token: str) -> Invite:
        """The pending invitation behind a token, for the page that asks whether to accept.

        Raises: InviteUnusable.
        """
        invite = await repository.find_by_digest(ctx, self._pepper.digest(token))
        if invite is None or invite.seen_at(ctx.clock.now()).status is not InviteStatus.PENDING:
            raise InviteUnusable
        return invite

    async def redeem(self, ctx: Context, token: str, email: str) -> Invite:
        """The pending invitation of that address behind a token; the caller then makes or finds the user.

        Raises: InviteUnusable.
        """
        invite = await self.preview(ctx, token)
        if invite.email != email.lower():
            raise InviteUnusable
        return invite

    async def find_pending(self, ctx: Context, email: str) -> Invite | None:
        """The newest good invitation of an address that its owner has proved to own."""
        return await repository.find_newest_pending(ctx, email.lower())

    async def accept(self, ctx: Context, token: str, user: User) -> Invite:
        """Let an existing user in: the inviting account becomes the user's home, earlier accounts stay reachable.

        Raises: InviteUnusable; AlreadyMember.
        """
        invite = await self.redeem(ctx, token, user.email)
        if await accounts.membership(ctx, invite.account_id, user.id) is not None:
            raise AlreadyMember
        await accounts.join(ctx, invite.account_id, user, invite.account_role)
        return await self.settle(ctx, invite, user)

    async def settle(self, ctx: Context, invite: Invite, user: User) -> Invite:
        """Give a user, who is a member by now, the places of the invitation, and close it."""
        inside = ctx.acting_as(replace(ctx.principal, account_id=invite.account_id))
        for grant in invite.grants:
            found = await workspaces.find(ctx, grant.workspace_id)
            if found is not None and found.is_active:  # one that was archived meanwhile is left out
                await workspaces.add_member(inside, grant.workspace_id, user.id, grant.role)
        await self._decide(ctx, invite.id, InviteStatus.ACCEPTED, accepted_by=user.id)
        await audit.record(inside, "invite.accepted", "invite", invite.id, {"user_id": user.id})
        now = ctx.clock.now()
        return replace(invite, status=InviteStatus.ACCEPTED, accepted_by=user.id, decided_at=now)

    async def _own(self, ctx: Context, invite_id: str) -> Invite:
        invite = await repository.find(ctx, ctx.principal.account_id, invite_id)
        if invite is None:
            raise InviteNotFound
        return invite.seen_at(ctx.clock.now())

    async def _decide(self, ctx: Context, invite_id: str, status: InviteStatus, accepted_by: str | None = None) -> None:
        values = {"status": status, "decided_at": ctx.clock.now(), "accepted_by": accepted_by}
        await repository.change(ctx, invite_id, values)


async def withdraw_places(ctx: Context, account_id: str, user_id: str) -> None:
    """Take away the places of somebody who leaves the account: a later invitation must not bring them back."""
    await repository.delete_places(ctx, account_id, user_id)


async def _check_grants(ctx: Context, grants: tuple[Grant, ...]) -> None:
    for grant in grants:
        found = await workspaces.find(ctx, grant.workspace_id)
        if found is None or not found.is_active or found.account_id != ctx.principal.account_id:
            raise UnknownWorkspace


def _new_invite(ctx: Context, email: str, role: AccountRole, grants: tuple[Grant, ...]) -> Invite:
    now = ctx.clock.now()
    return Invite(
        id=new_id(),
        account_id=ctx.principal.account_id,
        email=email,
        account_role=role,
        grants=grants,
        status=InviteStatus.PENDING,
        created_by=ctx.principal.actor_id,
        created_at=now,
        expires_at=now + INVITE_LIFETIME,
        decided_at=None,
        accepted_by=None,
    )


def _new_token() -> str:
    return TOKEN_PREFIX + random_token()
