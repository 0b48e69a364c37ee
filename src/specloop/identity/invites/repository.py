"""SQL of invitations, and of the places that they granted."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.invites.model import Grant, Invite, InviteStatus
from specloop.identity.invites.tables import InviteRow
from specloop.identity.scopes import AccountRole, WorkspaceRole
from specloop.identity.workspaces.tables import WorkspaceMemberRow


async def add(ctx: Context, invite: Invite, digest: str) -> None:
    """Write a new invitation."""
    values = {name: getattr(invite, name) for name in Invite.__slots__ if name != "grants"}
    workspaces = [asdict(grant) for grant in invite.grants]
    await ctx.session.execute(insert(InviteRow).values(**values, workspaces=workspaces, token_digest=digest))


async def find(ctx: Context, account_id: str, invite_id: str) -> Invite | None:
    """The account's invitation of that id, held until the transaction ends."""
    return await _one(ctx, and_(InviteRow.id == invite_id, InviteRow.account_id == account_id))


async def find_by_digest(ctx: Context, digest: str) -> Invite | None:
    """The invitation with that token, in any account, held until the transaction ends."""
    return await _one(ctx, InviteRow.token_digest == digest)


async def find_pending(ctx: Context, account_id: str, email: str) -> list[Invite]:
    """The pending invitations of one address into one account."""
    query = select(InviteRow).where(
        InviteRow.account_id == account_id, InviteRow.email == email, InviteRow.status == InviteStatus.PENDING
    )
    return [_invite(row) for row in (await ctx.session.scalars(query)).all()]


async def find_newest_pending(ctx: Context, email: str) -> Invite | None:
    """The newest invitation of the address, into any account, that is still good."""
    query = (
        select(InviteRow)
        .where(
            InviteRow.email == email,
            InviteRow.status == InviteStatus.PENDING,
            InviteRow.expires_at > ctx.clock.now(),
        )
        .order_by(InviteRow.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = await ctx.session.scalar(query)
    return _invite(row) if row else None


async def list_invites(ctx: Context, account_id: str, status: InviteStatus | None, page: PageRequest) -> Page[Invite]:
    """The account's invitations as they stand now, newest first."""
    query = select(InviteRow).where(InviteRow.account_id == account_id)
    if status is not None:
        query = query.where(_stands(ctx, status))
    sortable = {"created_at": InviteRow.created_at, "email": InviteRow.email, "expires_at": InviteRow.expires_at}
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="-created_at", tie_break=InviteRow.id.desc()
    )
    now = ctx.clock.now()
    return Page([_invite(row).seen_at(now) for row in found.results], found.total, found.limit, found.offset)


def _stands(ctx: Context, status: InviteStatus) -> ColumnElement[bool]:
    is_over = InviteRow.expires_at <= ctx.clock.now()
    match status:
        case InviteStatus.PENDING:
            return and_(InviteRow.status == status, ~is_over)
        case InviteStatus.EXPIRED:
            return or_(InviteRow.status == status, and_(InviteRow.status == InviteStatus.PENDING, is_over))
        case InviteStatus.ACCEPTED | InviteStatus.REVOKED:
            return InviteRow.status == status


async def change(ctx: Context, invite_id: str, values: dict[str, Any]) -> None:
    """Write some columns."""
    await ctx.session.execute(
        update(InviteRow).where(InviteRow.id == invite_id).values(**values).execution_options(synchronize_session=False)
    )


async def delete_places(ctx: Context, account_id: str, user_id: str) -> None:
    """Delete the user's rows in all workspaces of the account."""
    await ctx.session.execute(
        delete(WorkspaceMemberRow)
        .where(WorkspaceMemberRow.account_id == account_id, WorkspaceMemberRow.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


async def _one(ctx: Context, condition: ColumnElement[bool]) -> Invite | None:
    query = select(InviteRow).where(condition).with_for_update().execution_options(populate_existing=True)
    row = await ctx.session.scalar(query)
    return _invite(row) if row else None


def _invite(row: InviteRow) -> Invite:
    values: dict[str, Any] = {name: getattr(row, name) for name in Invite.__slots__ if name != "grants"}
    values["account_role"] = AccountRole(row.account_role)
    values["status"] = InviteStatus(row.status)
    grants = tuple(Grant(place["workspace_id"], WorkspaceRole(place["role"])) for place in row.workspaces)
    return Invite(**values, grants=grants)
