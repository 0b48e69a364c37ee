"""All SQL of workspaces and their members."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.accounts.tables import AccountMemberRow, UserRow
from specloop.identity.audit import AuditEvent
from specloop.identity.audit.tables import AuditEventRow
from specloop.identity.scopes import AccountRole, WorkspaceRole
from specloop.identity.workspaces.model import (
    Autonomy,
    Person,
    Retention,
    VisibleWorkspace,
    Workspace,
    WorkspaceMember,
    WorkspaceStatus,
)
from specloop.identity.workspaces.tables import WorkspaceMemberRow, WorkspaceRow


def to_workspace(row: WorkspaceRow) -> Workspace:
    """The model of a row."""
    return Workspace(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        description=row.description,
        status=WorkspaceStatus(row.status),
        is_system=row.is_system,
        timezone=row.timezone,
        autonomy=Autonomy.from_document(row.autonomy),
        retention=Retention(**row.retention),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        archived_at=row.archived_at,
    )


def to_member(row: WorkspaceMemberRow) -> WorkspaceMember:
    """The model of a row."""
    return WorkspaceMember(row.workspace_id, row.user_id, WorkspaceRole(row.role), row.version, row.created_at)


async def add(ctx: Context, workspace: Workspace) -> None:
    """Insert a workspace."""
    ctx.session.add(
        WorkspaceRow(
            id=workspace.id,
            account_id=workspace.account_id,
            name=workspace.name,
            description=workspace.description,
            status=workspace.status,
            is_system=workspace.is_system,
            timezone=workspace.timezone,
            autonomy=workspace.autonomy.as_document(),
            retention=workspace.retention.as_document(),
            version=workspace.version,
            created_at=workspace.created_at,
            updated_at=workspace.updated_at,
            created_by=workspace.created_by,
            archived_at=workspace.archived_at,
        )
    )
    await ctx.session.flush()


async def get(ctx: Context, workspace_id: str, *, is_locked: bool = False) -> Workspace | None:
    """The workspace of that id, in any account; with `is_locked` its row is held until the transaction ends."""
    query = select(WorkspaceRow).where(WorkspaceRow.id == workspace_id)
    if is_locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = await ctx.session.scalar(query)
    return None if row is None else to_workspace(row)


async def change(ctx: Context, workspace_id: str, values: dict[str, Any]) -> None:
    """Write `values` and count the change."""
    await ctx.session.execute(
        update(WorkspaceRow)
        .where(WorkspaceRow.id == workspace_id)
        .values(**values, version=WorkspaceRow.version + 1, updated_at=ctx.clock.now())
        .execution_options(synchronize_session=False)
    )


async def find_system(ctx: Context) -> Workspace | None:
    """The workspace that belongs to the server itself."""
    row = await ctx.session.scalar(select(WorkspaceRow).where(WorkspaceRow.is_system).order_by(WorkspaceRow.id))
    return None if row is None else to_workspace(row)


async def list_visible(
    ctx: Context, account_id: str, user_id: str, *, is_all: bool, status: WorkspaceStatus | None, page: PageRequest
) -> Page[VisibleWorkspace]:
    """The account's workspaces: all of them, or those with a member row of the user."""
    mine = (WorkspaceMemberRow.workspace_id == WorkspaceRow.id) & (WorkspaceMemberRow.user_id == user_id)
    query: Any = select(WorkspaceRow, WorkspaceMemberRow.role).join(WorkspaceMemberRow, mine, isouter=is_all)
    query = query.where(WorkspaceRow.account_id == account_id)
    if status is not None:
        query = query.where(WorkspaceRow.status == status)
    sortable = {"name": WorkspaceRow.name, "created_at": WorkspaceRow.created_at, "updated_at": WorkspaceRow.updated_at}
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="created_at", tie_break=WorkspaceRow.id
    )
    return Page([_visible(row[0], row[1]) for row in found.results], found.total, found.limit, found.offset)


async def all_visible(ctx: Context, account_id: str, user_id: str, *, is_all: bool) -> list[VisibleWorkspace]:
    """The active ones of `list_visible`, oldest first and without paging."""
    mine = (WorkspaceMemberRow.workspace_id == WorkspaceRow.id) & (WorkspaceMemberRow.user_id == user_id)
    query = (
        select(WorkspaceRow, WorkspaceMemberRow.role)
        .join(WorkspaceMemberRow, mine, isouter=is_all)
        .where(WorkspaceRow.account_id == account_id, WorkspaceRow.status == WorkspaceStatus.ACTIVE)
        .order_by(WorkspaceRow.id)
    )
    return [_visible(row[0], row[1]) for row in (await ctx.session.execute(query)).all()]


def _visible(row: WorkspaceRow, role: str | None) -> VisibleWorkspace:
    return VisibleWorkspace(to_workspace(row), None if role is None else WorkspaceRole(role))


async def role_of(ctx: Context, workspace_id: str, user_id: str) -> WorkspaceRole | None:
    """The user's role in an active or archived workspace, or None."""
    role = await ctx.session.scalar(
        select(WorkspaceMemberRow.role).where(
            WorkspaceMemberRow.workspace_id == workspace_id, WorkspaceMemberRow.user_id == user_id
        )
    )
    return None if role is None else WorkspaceRole(role)


async def add_member(ctx: Context, workspace: Workspace, user_id: str, role: WorkspaceRole) -> WorkspaceMember:
    """Insert a member row."""
    row = WorkspaceMemberRow(
        account_id=workspace.account_id,
        workspace_id=workspace.id,
        user_id=user_id,
        role=role,
        version=1,
        created_at=ctx.clock.now(),
        created_by=ctx.principal.user_id,
    )
    ctx.session.add(row)
    await ctx.session.flush()
    return to_member(row)


def _people(ctx: Context) -> Any:
    query: Any = (
        select(WorkspaceMemberRow, UserRow.email, UserRow.name)
        .join(UserRow, UserRow.id == WorkspaceMemberRow.user_id)
        .where(WorkspaceMemberRow.workspace_id == ctx.workspace_id)
    )
    return query


async def person(ctx: Context, user_id: str) -> Person | None:
    """A member of the caller's workspace."""
    query = _people(ctx).where(WorkspaceMemberRow.user_id == user_id).execution_options(populate_existing=True)
    row: Any = (await ctx.session.execute(query)).first()
    return None if row is None else Person(to_member(row[0]), row[1], row[2])


async def list_people(ctx: Context, role: WorkspaceRole | None, page: PageRequest) -> Page[Person]:
    """The members of the caller's workspace."""
    query = _people(ctx)
    if role is not None:
        query = query.where(WorkspaceMemberRow.role == role)
    sortable = {
        "created_at": WorkspaceMemberRow.created_at,
        "role": WorkspaceMemberRow.role,
        "email": UserRow.email,
        "name": UserRow.name,
    }
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="created_at", tie_break=WorkspaceMemberRow.user_id
    )
    people = [Person(to_member(row[0]), row[1], row[2]) for row in found.results]
    return Page(people, found.total, found.limit, found.offset)


async def find_user(ctx: Context, *, user_id: str | None, email: str | None) -> str | None:
    """The id of a user of the caller's account, by id or by e-mail."""
    wanted = UserRow.id == user_id if user_id is not None else UserRow.email == email
    return await ctx.session.scalar(
        select(UserRow.id)
        .join(AccountMemberRow, AccountMemberRow.user_id == UserRow.id)
        .where(AccountMemberRow.account_id == ctx.principal.account_id, wanted)
    )


async def has_owner(ctx: Context) -> bool:
    """Whether the caller's account has an owner."""
    found = await ctx.session.scalar(
        select(AccountMemberRow.user_id)
        .where(
            AccountMemberRow.account_id == ctx.principal.account_id,
            AccountMemberRow.role == AccountRole.OWNER.value,
        )
        .limit(1)
    )
    return found is not None


async def set_role(ctx: Context, user_id: str, role: WorkspaceRole) -> None:
    """Change a member's role in the caller's workspace."""
    await ctx.session.execute(
        update(WorkspaceMemberRow)
        .where(WorkspaceMemberRow.workspace_id == ctx.workspace_id, WorkspaceMemberRow.user_id == user_id)
        .values(role=role, version=WorkspaceMemberRow.version + 1)
        .execution_options(synchronize_session=False)
    )


async def remove_member(ctx: Context, user_id: str) -> None:
    """Delete a member row of the caller's workspace."""
    await ctx.session.execute(
        delete(WorkspaceMemberRow)
        .where(WorkspaceMemberRow.workspace_id == ctx.workspace_id, WorkspaceMemberRow.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


async def count_admins(ctx: Context) -> int:
    """How many admins the caller's workspace has."""
    count = await ctx.session.scalar(
        select(func.count())
        .select_from(WorkspaceMemberRow)
        .where(
            WorkspaceMemberRow.workspace_id == ctx.workspace_id, WorkspaceMemberRow.role == WorkspaceRole.ADMIN.value
        )
    )
    return count or 0


async def events_after(ctx: Context, event_id: str, *, until: datetime, limit: int) -> list[AuditEvent]:
    """Audit events of the caller's workspace with a later id, up to a moment, oldest first."""
    rows = await ctx.session.scalars(
        select(AuditEventRow)
        .where(AuditEventRow.workspace_id == ctx.workspace_id, AuditEventRow.id > event_id, AuditEventRow.at <= until)
        .order_by(AuditEventRow.id)
        .limit(limit)
    )
    return [AuditEvent(**{name: getattr(row, name) for name in AuditEvent.__slots__}) for row in rows]


async def newest_event_id(ctx: Context, *, until: datetime) -> str:
    """The id of the last audit event of the caller's workspace up to a moment, or an empty text."""
    found = await ctx.session.scalar(
        select(func.max(AuditEventRow.id)).where(
            AuditEventRow.workspace_id == ctx.workspace_id, AuditEventRow.at <= until
        )
    )
    return found or ""
