"""The page of a workspace's members and invitations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends
from starlette.responses import Response

from specloop.app.web.frame import Frame, FrameHere, Posted, page_router, parsed, refused
from specloop.app.web.shell import Form
from specloop.db.context import Context
from specloop.db.paging import LIMIT_MAX, PageRequest
from specloop.errors import SpecloopError
from specloop.identity import accounts
from specloop.identity.auth import Links
from specloop.identity.invites import Invite, InviteService
from specloop.identity.invites.schema import InviteInput
from specloop.identity.scopes import AccountRole, Scope
from specloop.identity.workspaces.schema import MemberAdd, MemberPatch
from specloop.identity.workspaces.service import members
from specloop.transport.guard import requires
from specloop.transport.routing import Ctx, provided

router = page_router()
PREFIX = "/app/w/{workspace_id}"
Invites = Annotated[InviteService, Depends(provided(InviteService))]
LinkMaker = Annotated[Links, Depends(provided(Links))]
ALL = PageRequest(limit=LIMIT_MAX)


@router.get(PREFIX + "/members")
@requires("read:workspace")
async def show_members(ctx: Ctx, frame: FrameHere, invites: Invites, workspace_id: str) -> Response:
    """Who is what here."""
    return await _page(ctx, frame, invites, Form())


async def _page(
    ctx: Context, frame: Frame, invites: InviteService, form: Form, status: int = 200, **fresh: Any
) -> Response:
    found = await members.list_people(ctx, None, ALL)
    waiting: Sequence[Invite] = ()
    if frame.shell.may(Scope.ADMIN_ACCOUNT):
        waiting = (await invites.list(ctx, None, PageRequest())).results
    rows = [
        {
            "user_id": one.member.user_id,
            "name": one.name,
            "email": one.email,
            "role": one.member.role.value,
            "is_owner": await _is_owner(ctx, one.member.user_id),
            "created_at": one.member.created_at,
        }
        for one in found.results
    ]
    invite_link, invite_email = fresh.get("invite_link", ""), fresh.get("invite_email", "")
    return frame.page(
        "members",
        status=status,
        members=rows,
        invites=waiting,
        form=form,
        invite_link=invite_link,
        invite_email=invite_email,
    )


async def _is_owner(ctx: Context, user_id: str) -> bool:
    membership = await accounts.membership(ctx, ctx.principal.account_id, user_id)
    return membership is not None and membership.role is AccountRole.OWNER


@router.post(PREFIX + "/members/{user_id}")
@requires("admin:workspace")
async def change_role(
    ctx: Ctx, frame: FrameHere, invites: Invites, workspace_id: str, user_id: str, posted: Posted
) -> Response:
    """Gives a member another role."""
    try:
        await members.change_role(ctx, user_id.lower(), parsed(MemberPatch, posted).role, _any_version)
    except SpecloopError as error:
        return await _page(ctx, frame, invites, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/members", "Role changed.")


@router.post(PREFIX + "/members/{user_id}/remove")
@requires("admin:workspace")
async def remove_member(
    ctx: Ctx, frame: FrameHere, invites: Invites, workspace_id: str, user_id: str, posted: Posted
) -> Response:
    """Takes a member's place away."""
    try:
        await members.remove(ctx, user_id.lower(), _any_version)
    except SpecloopError as error:
        return await _page(ctx, frame, invites, await refused(ctx, error, posted), error.status)
    return frame.go(f"{frame.shell.base}/members", "Member removed.")


@router.post(PREFIX + "/invites")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def invite(
    ctx: Ctx, frame: FrameHere, invites: Invites, links: LinkMaker, workspace_id: str, posted: Posted
) -> Response:
    """Adds a user of the account at once, and invites anybody else; the link is shown when nothing can mail it."""
    try:
        wanted = parsed(MemberAdd, {"email": posted.get("email", ""), "role": posted.get("role", "")})
        if await _is_in_account(ctx, wanted.email or ""):
            await members.add(ctx, user_id=None, email=wanted.email, role=wanted.role)
            return frame.go(f"{frame.shell.base}/members", "Member added.")
        place = {"id": ctx.workspace_id, "role": wanted.role.value}
        asked = parsed(InviteInput, {"email": wanted.email, "workspaces": [place]})
        issued = await invites.create(ctx, asked.email, AccountRole.MEMBER, asked.grants())
    except SpecloopError as error:
        return await _page(ctx, frame, invites, await refused(ctx, error, posted), error.status)
    if issued.token is None:
        return frame.go(f"{frame.shell.base}/members", "The invitation is on its way.")
    return await _page(
        ctx, frame, invites, Form(), invite_link=links.invite(issued.token), invite_email=issued.invite.email
    )


async def _is_in_account(ctx: Context, email: str) -> bool:
    user = await accounts.find_user_by_email(ctx, email)
    return user is not None and await accounts.membership(ctx, ctx.principal.account_id, user.id) is not None


@router.post(PREFIX + "/invites/{invite_id}/revoke")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def revoke_invite(
    ctx: Ctx, frame: FrameHere, invites: Invites, workspace_id: str, invite_id: str, posted: Posted
) -> Response:
    """Makes an invitation worthless."""
    await invites.revoke(ctx, invite_id.lower())
    return frame.go(f"{frame.shell.base}/members", "Invitation withdrawn.")


def _any_version(_: str | int) -> None:
    """Pages change what they show at once; there is no older version to protect."""
