"""Wire forms of router 2 (spectral.md §1.3) but invitations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel

from specloop.identity.accounts.model import Export, Member
from specloop.identity.accounts.service.standing import Overview, UsageLine
from specloop.identity.scopes import AccountRole
from specloop.kit.clock import format_time
from specloop.kit.json import dumps
from specloop.transport.schema import Input, JSONObject, Name

SETTINGS_BYTES_MAX = 16_384


def _small(settings: dict[str, Any]) -> dict[str, Any]:
    if len(dumps(settings)) > SETTINGS_BYTES_MAX:
        raise ValueError(f"settings may have at most {SETTINGS_BYTES_MAX} bytes")
    return settings


class AccountPatch(Input):
    """What an owner may change."""

    name: Name | None = None
    settings: Annotated[JSONObject, AfterValidator(_small)] | None = None


class MemberPatch(Input):
    """A member's new role. Staff are named on the command line only."""

    account_role: Literal["owner", "member"]


class AccountBody(BaseModel):
    """The account with its limits and counts."""

    id: str
    name: str
    plan: str
    status: str
    settings: dict[str, Any]
    limits: Mapping[str, int]
    usage: Mapping[str, int]
    created_at: str
    updated_at: str


class MemberBody(BaseModel):
    """A person of the account."""

    user_id: str
    email: str
    name: str
    account_role: AccountRole
    status: str
    joined_at: str
    last_sign_in_at: str | None


class UsageLineBody(BaseModel):
    """What models were used for under one key; money is null while a price is unknown."""

    key: str
    calls: int
    tokens_in: int
    tokens_out: int
    micro_usd: int | None
    usd: str | None


class UsageBody(BaseModel):
    """Usage summed by group."""

    group: str
    results: list[UsageLineBody]
    total: UsageLineBody


class ExportBody(BaseModel):
    """A requested export."""

    id: str
    status: str
    created_at: str
    finished_at: str | None


class DeletionBody(BaseModel):
    """An account on its way out."""

    id: str
    status: str


def render_account(overview: Overview) -> dict[str, Any]:
    """The members of `AccountBody`."""
    account = overview.account
    return {
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "status": account.status.value,
        "settings": account.settings,
        "limits": overview.limits,
        "usage": overview.usage,
        "created_at": format_time(account.created_at),
        "updated_at": format_time(account.updated_at),
    }


def render_member(member: Member) -> dict[str, Any]:
    """The members of `MemberBody`."""
    seen = member.user.last_sign_in_at
    return {
        "user_id": member.user.id,
        "email": member.user.email,
        "name": member.user.name,
        "account_role": member.membership.role.value,
        "status": member.user.status.value,
        "joined_at": format_time(member.membership.joined_at),
        "last_sign_in_at": None if seen is None else format_time(seen),
    }


def render_export(export: Export) -> dict[str, Any]:
    """The members of `ExportBody`."""
    return {
        "id": export.id,
        "status": export.status.value,
        "created_at": format_time(export.created_at),
        "finished_at": None if export.finished_at is None else format_time(export.finished_at),
    }


def render_usage(group: str, lines: list[UsageLine]) -> dict[str, Any]:
    """The members of `UsageBody`; the total's cost is unknown when one line's is."""
    is_known = all(line.micro_usd is not None for line in lines)
    total = UsageLine(
        key="total",
        calls=sum(line.calls for line in lines),
        tokens_in=sum(line.tokens_in for line in lines),
        tokens_out=sum(line.tokens_out for line in lines),
        micro_usd=sum(line.micro_usd or 0 for line in lines) if is_known else None,
    )
    return {"group": group, "results": [_render_line(line) for line in lines], "total": _render_line(total)}


def _render_line(line: UsageLine) -> dict[str, Any]:
    usd = None if line.micro_usd is None else f"{line.micro_usd // 10**6}.{line.micro_usd % 10**6:06d}00"
    return {
        "key": line.key,
        "calls": line.calls,
        "tokens_in": line.tokens_in,
        "tokens_out": line.tokens_out,
        "micro_usd": line.micro_usd,
        "usd": usd,
    }
