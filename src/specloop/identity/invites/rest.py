"""Invitations of router 2 (spectral.md §1.3)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Response

from specloop.db.paging import PageRequest
from specloop.errors import Unauthenticated
from specloop.identity import accounts
from specloop.identity.invites.model import InviteStatus
from specloop.identity.invites.schema import (
    AcceptedBody,
    AcceptInput,
    CreatedInviteBody,
    InviteBody,
    InviteInput,
    render_grants,
    render_invite,
)
from specloop.identity.invites.service import InviteService
from specloop.identity.scopes import AccountRole, Scope
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided

PREFIX = "/api/v1/account/invites"
router = api_router(PREFIX, tags=["Account"])
Invites = Annotated[InviteService, Depends(provided(InviteService))]


@router.get("", response_model=PageBody[InviteBody], summary="Invitations of the account")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def list_invites(
    ctx: Ctx,
    invites: Invites,
    page: Annotated[PageRequest, sorted_by("created_at", "email", "expires_at")],
    status: InviteStatus | None = None,
) -> dict[str, Any]:
    """Newest first; sort by created_at, email or expires_at."""
    return page_body(await invites.list(ctx, status, page), render_invite)


@router.post("", status_code=201, response_model=CreatedInviteBody, summary="Invite somebody")
@requires(Scope.ADMIN_ACCOUNT, users_only=True, secret_fields=("token",))
async def create_invite(ctx: Ctx, invites: Invites, body: InviteInput, response: Response) -> dict[str, Any]:
    """The token is mailed, or shown in this one answer when the server has no mailer."""
    issued = await invites.create(ctx, body.email, AccountRole(body.account_role), body.grants())
    response.headers["Location"] = f"{PREFIX}/{issued.invite.id}"
    return {**render_invite(issued.invite), "token": issued.token}


@router.post("/accept", response_model=AcceptedBody, summary="Accept an invitation")
@requires(users_only=True)
async def accept_invite(ctx: Ctx, invites: Invites, body: AcceptInput) -> dict[str, Any]:
    """The signed-in user's e-mail must be the invited one; the inviting account becomes the user's own."""
    user = await accounts.find_user(ctx, ctx.principal.user_id or "")
    if user is None:
        raise Unauthenticated
    invite = await invites.accept(ctx, body.token, user)
    return {
        "account_id": invite.account_id,
        "account_role": invite.account_role.value,
        "workspaces": render_grants(invite),
    }


@router.delete("/{invite_id}", status_code=204, summary="Revoke an invitation")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def revoke_invite(ctx: Ctx, invites: Invites, invite_id: str) -> None:
    """Only a pending one can be revoked."""
    await invites.revoke(ctx, invite_id.lower())
