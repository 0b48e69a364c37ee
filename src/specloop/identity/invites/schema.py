"""Wire forms of invitations (spectral.md §1.3 router 2)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from specloop.identity.invites.model import Grant, Invite
from specloop.identity.scopes import WorkspaceRole
from specloop.kit.clock import format_time
from specloop.transport.schema import Email, Input, UUIDText

GRANTS_MAX = 100


class GrantInput(Input):
    """A workspace to open, and as what."""

    id: UUIDText
    role: WorkspaceRole


def _no_repeats(grants: list[GrantInput]) -> list[GrantInput]:
    if len({grant.id for grant in grants}) != len(grants):
        raise ValueError("a workspace is named twice")
    return grants


class InviteInput(Input):
    """Whom to invite. Staff cannot be invited."""

    email: Email
    account_role: Literal["owner", "member"] = "member"
    workspaces: Annotated[list[GrantInput], Field(max_length=GRANTS_MAX), AfterValidator(_no_repeats)] = []  # noqa: RUF012

    def grants(self) -> tuple[Grant, ...]:
        """The workspaces as grants."""
        return tuple(Grant(item.id, item.role) for item in self.workspaces)


class AcceptInput(Input):
    """The token of the invitation."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class GrantBody(BaseModel):
    """A workspace that the invitation opens."""

    id: str
    role: WorkspaceRole


class InviteBody(BaseModel):
    """An invitation, never with its token."""

    id: str
    email: str
    account_role: str
    workspaces: list[GrantBody]
    status: str
    created_by: str
    created_at: str
    expires_at: str
    decided_at: str | None


class CreatedInviteBody(InviteBody):
    """A new invitation; `token` is null when it was mailed."""

    token: str | None


class AcceptedBody(BaseModel):
    """Where the accepted invitation led."""

    account_id: str
    account_role: str
    workspaces: list[GrantBody]


def render_grants(invite: Invite) -> list[dict[str, Any]]:
    """The members of `GrantBody`, one for each workspace."""
    return [{"id": grant.workspace_id, "role": grant.role.value} for grant in invite.grants]


def render_invite(invite: Invite) -> dict[str, Any]:
    """The members of `InviteBody`."""
    return {
        "id": invite.id,
        "email": invite.email,
        "account_role": invite.account_role.value,
        "workspaces": render_grants(invite),
        "status": invite.status.value,
        "created_by": invite.created_by,
        "created_at": format_time(invite.created_at),
        "expires_at": format_time(invite.expires_at),
        "decided_at": None if invite.decided_at is None else format_time(invite.decided_at),
    }
