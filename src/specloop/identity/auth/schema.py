"""Wire forms of router 1 (spectral.md §1.3)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from specloop.identity.auth.model import SignedIn
from specloop.identity.tokens import Session
from specloop.kit.clock import format_time
from specloop.transport.schema import Email, Input, Name, TimeZone

PASSWORD_CHARACTERS_MAX = 1024
"""Longer than any allowed password: its own length rule answers first, this one only bounds the work of parsing."""


Secret = Annotated[str, Field(min_length=1, max_length=PASSWORD_CHARACTERS_MAX)]
NewPassword = Annotated[str, Field(min_length=6, max_length=128)]
Token = Annotated[str, Field(min_length=1, max_length=200)]


class RegisterInput(Input):
    """Who wants in. `tenant_name` names the new account; with an invitation it is not used."""

    email: Email
    password: NewPassword
    tenant_name: Name | None = None
    name: Name | None = None
    timezone: TimeZone = "UTC"
    invite_token: Token | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}}
                for name in ("tenant_name", "invite_token")
            ]
        }
    )

    @model_validator(mode="after")
    def _names_the_tenant(self) -> Self:
        if self.tenant_name is None and self.invite_token is None:
            raise ValueError("tenant_name is required")
        return self


class PasswordLogin(Input):
    """Sign in by password."""

    email: Email
    password: Secret


class RefreshLogin(Input):
    """Sign in by refresh token."""

    refresh_token: Token


LoginInput = PasswordLogin | RefreshLogin


class CallbackInput(Input):
    """What the provider sent back to the redirect address."""

    provider: Annotated[str, Field(min_length=1, max_length=60)]
    code: Annotated[str, Field(min_length=1, max_length=4096)]
    state: Token


class ResetRequest(Input):
    """Step 1: ask for a reset mail."""

    email: Email


class ResetConfirm(Input):
    """Step 2: set the new password."""

    token: Token
    new_password: NewPassword


ResetInput = ResetRequest | ResetConfirm


class ProfilePatch(Input):
    """What users change about themselves."""

    name: Name | None = None
    timezone: TimeZone | None = None


class PasswordChange(Input):
    """The known password and its successor."""

    current: Secret
    new: NewPassword


class AccountChoice(Input):
    """One of the user's accounts."""

    account_id: Annotated[str, Field(max_length=36)]


class SignedInBody(BaseModel):
    """A fresh session; `workspace_id` is null for users who see no workspace."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    user_id: str
    account_id: str
    workspace_id: str | None


class AuthorizationBody(BaseModel):
    """Where to send the browser."""

    authorization_url: str
    state: str


class AccountOfProfile(BaseModel):
    """An account of the user, and the role in it."""

    id: str
    name: str
    plan: str
    role: str


class WorkspaceOfProfile(BaseModel):
    """A workspace that the user sees, and what the user may do there."""

    id: str
    account_id: str
    name: str
    role: str
    scopes: list[str]


class ProfileBody(BaseModel):
    """Who the caller is. `account` is where the caller stands; `accounts` are all the caller belongs to."""

    user_id: str
    email: str
    name: str
    timezone: str
    account: AccountOfProfile
    accounts: list[AccountOfProfile]
    workspaces: list[WorkspaceOfProfile]


class SessionBody(BaseModel):
    """A signed-in client."""

    id: str
    method: str
    user_agent: str
    client_ip: str
    created_at: str
    last_used_at: str
    expires_at: str
    is_current: bool


def render_signed_in(signed_in: SignedIn) -> dict[str, Any]:
    """The members of `SignedInBody`."""
    return {
        "access_token": signed_in.tokens.access_token,
        "token_type": "bearer",
        "expires_in": signed_in.tokens.expires_in,
        "refresh_token": signed_in.tokens.refresh_token,
        "user_id": signed_in.user.id,
        "account_id": signed_in.account_id,
        "workspace_id": signed_in.workspace_id,
    }


def render_session(session: Session, current_id: str | None) -> dict[str, Any]:
    """The members of `SessionBody`."""
    return {
        "id": session.id,
        "method": session.method,
        "user_agent": session.user_agent,
        "client_ip": session.client_ip,
        "created_at": format_time(session.created_at),
        "last_used_at": format_time(session.last_used_at),
        "expires_at": format_time(session.expires_at),
        "is_current": session.id == current_id,
    }
