"""Router 2 (spectral.md §1.3) but invitations: the account, its members, audit log and usage."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from specloop.db.paging import PageRequest
from specloop.errors import BadRequest
from specloop.identity import audit
from specloop.identity.accounts.schema import (
    AccountBody,
    AccountPatch,
    DeletionBody,
    ExportBody,
    MemberBody,
    MemberPatch,
    UsageBody,
    render_account,
    render_export,
    render_member,
    render_usage,
)
from specloop.identity.accounts.service.leaving import LeavingService
from specloop.identity.accounts.service.standing import AccountService, Overview, UsageGroup
from specloop.identity.audit.schema import AuditEventBody, render_event
from specloop.identity.scopes import AccountRole, Scope
from specloop.transport.etag import check_if_match, etag
from specloop.transport.guard import requires
from specloop.transport.paging import PageBody, page_body, sorted_by
from specloop.transport.routing import Ctx, api_router, provided
from specloop.transport.schema import Moment

router = api_router("/api/v1/account", tags=["Account"])
Accounts = Annotated[AccountService, Depends(provided(AccountService))]
Leaving = Annotated[LeavingService, Depends(provided(LeavingService))]


def moment(value: datetime | None) -> datetime | None:
    """A query moment in UTC; without an offset it is taken as UTC."""
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def time_range(since: datetime | None, until: datetime | None) -> tuple[datetime | None, datetime | None]:
    """`from` inclusive, `to` exclusive.

    Raises: BadRequest when they are the wrong way round.
    """
    first, last = moment(since), moment(until)
    if first is not None and last is not None and first > last:
        raise BadRequest("`from` must not be later than `to`")
    return first, last


@router.get("", response_model=AccountBody, summary="The account with its limits and usage")
@requires(users_only=True)
async def read_account(ctx: Ctx, accounts: Accounts, response: Response) -> dict[str, Any]:
    """Any member may read it."""
    return _shown(await accounts.overview(ctx), response)


@router.patch("", response_model=AccountBody, summary="Change the account's name or settings")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def change_account(
    ctx: Ctx, accounts: Accounts, body: AccountPatch, request: Request, response: Response
) -> dict[str, Any]:
    """`settings` replaces what was there."""
    check_if_match(request, (await accounts.account(ctx)).version)
    return _shown(await accounts.change(ctx, body.name, body.settings), response)


def _shown(overview: Overview, response: Response) -> dict[str, Any]:
    response.headers["ETag"] = etag(overview.account.version)
    return render_account(overview)


@router.get("/members", response_model=PageBody[MemberBody], summary="The people of the account")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def list_members(
    ctx: Ctx,
    accounts: Accounts,
    page: Annotated[PageRequest, sorted_by("email", "name", "account_role", "joined_at")],
    account_role: AccountRole | None = None,
) -> dict[str, Any]:
    """Sort by email, name, account_role or joined_at."""
    return page_body(await accounts.list_members(ctx, account_role, page), render_member)


@router.patch("/members/{user_id}", response_model=MemberBody, summary="Change a member's role")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def change_member(ctx: Ctx, accounts: Accounts, user_id: str, body: MemberPatch) -> dict[str, Any]:
    """Demoting the last owner is refused."""
    return render_member(await accounts.change_role(ctx, user_id.lower(), AccountRole(body.account_role)))


@router.delete("/members/{user_id}", status_code=204, summary="Remove a member")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def remove_member(ctx: Ctx, accounts: Accounts, user_id: str) -> None:
    """The member's sessions end at once; removing the last owner is refused."""
    await accounts.remove_member(ctx, user_id.lower())


@router.get("/audit", response_model=PageBody[AuditEventBody], summary="Who did what in the account")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def list_audit(
    ctx: Ctx,
    page: Annotated[PageRequest, sorted_by("at", "action")],
    actor: Annotated[str | None, Query(max_length=64)] = None,
    action: Annotated[str | None, Query(max_length=100)] = None,
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Newest first; sort by at or action."""
    first, last = time_range(since, until)
    wanted = audit.AuditFilter(ctx.principal.account_id, actor=actor, action=action, since=first, until=last)
    return page_body(await audit.list_events(ctx, wanted, page), render_event)


@router.get("/usage", response_model=UsageBody, summary="What models were used for")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def read_usage(
    ctx: Ctx,
    accounts: Accounts,
    group: UsageGroup = "workspace",
    since: Annotated[Moment | None, Query(alias="from")] = None,
    until: Annotated[Moment | None, Query(alias="to")] = None,
) -> dict[str, Any]:
    """Calls, tokens and cost by workspace, model or purpose."""
    first, last = time_range(since, until)
    return render_usage(group, await accounts.usage(ctx, group, first, last))


@router.post("/export", status_code=202, response_model=ExportBody, summary="Have everything exported")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def request_export(ctx: Ctx, leaving: Leaving, response: Response) -> dict[str, Any]:
    """A JSON document of all rows of the account, without secrets; `Location` tells when it is ready."""
    export = await leaving.request_export(ctx)
    response.headers["Location"] = f"{router.prefix}/exports/{export.id}"
    return render_export(export)


@router.get("/exports/{export_id}", response_model=ExportBody, summary="Where an export stands")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def read_export(ctx: Ctx, leaving: Leaving, export_id: str) -> dict[str, Any]:
    """`ready` means that its content can be fetched."""
    return render_export(await leaving.export(ctx, export_id.lower()))


@router.get(
    "/exports/{export_id}/content",
    response_model=None,
    responses={200: {"content": {"application/json": {"schema": {"type": "object"}}}}},
    summary="The content of an export",
)
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def read_export_content(ctx: Ctx, leaving: Leaving, export_id: str) -> Response:
    """By table name, the rows of the account; sessions with their documents as text, traces as OTLP."""
    size, chunks = await leaving.content(ctx, export_id.lower())
    headers = {
        "Content-Disposition": 'attachment; filename="specloop-account.json"',
        "Cache-Control": "no-store",
        "Content-Length": str(size),
    }
    return StreamingResponse(chunks, media_type="application/json", headers=headers)


@router.post("/delete", status_code=202, response_model=DeletionBody, summary="Delete the account")
@requires(Scope.ADMIN_ACCOUNT, users_only=True)
async def request_deletion(ctx: Ctx, leaving: Leaving, response: Response) -> dict[str, Any]:
    """Closed at once for everybody in it; erased after 30 days, within which the operator can restore it."""
    account = await leaving.request_deletion(ctx)
    response.headers["Location"] = router.prefix
    return {"id": account.id, "status": "deleting"}
