"""SQL of accounts, users and memberships."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.accounts.errors import EmailTaken
from specloop.identity.accounts.model import (
    Account,
    AccountStatus,
    Export,
    ExportStatus,
    Member,
    Membership,
    User,
    UserStatus,
)
from specloop.identity.accounts.tables import AccountExportRow, AccountMemberRow, AccountRow, UserRow
from specloop.identity.scopes import AccountRole


async def add_account(ctx: Context, account: Account) -> None:
    """Write a new account."""
    values = {name: getattr(account, name) for name in Account.__slots__}
    await ctx.session.execute(insert(AccountRow).values(values))


async def find_account(ctx: Context, account_id: str, *, is_locked: bool = False) -> Account | None:
    """The account of that id; locked, nobody else changes its members until the transaction ends."""
    query = select(AccountRow).where(AccountRow.id == account_id).execution_options(populate_existing=True)
    row = await ctx.session.scalar(query.with_for_update() if is_locked else query)
    return _account(row) if row else None


async def find_system_account(ctx: Context) -> Account | None:
    """The server's own account."""
    row = await ctx.session.scalar(select(AccountRow).where(AccountRow.is_system).order_by(AccountRow.id).limit(1))
    return _account(row) if row else None


async def list_accounts(ctx: Context, page: PageRequest) -> Page[Account]:
    """Every account of the server."""
    sortable = {"name": AccountRow.name, "created_at": AccountRow.created_at}
    found = await paginate(
        ctx.session, select(AccountRow), page, sortable=sortable, default_sort="created_at", tie_break=AccountRow.id
    )
    return Page([_account(row) for row in found.results], found.total, found.limit, found.offset)


async def change_account(ctx: Context, account_id: str, values: dict[str, Any]) -> None:
    """Write some columns of an account and count the change."""
    await ctx.session.execute(
        update(AccountRow)
        .where(AccountRow.id == account_id)
        .values(**values, updated_at=ctx.clock.now(), version=AccountRow.version + 1)
        .execution_options(synchronize_session=False)
    )


async def add_user(ctx: Context, user: User) -> None:
    """Write a new user.

    Raises: EmailTaken when somebody else took the address since it was looked for.
    """
    values = {name: getattr(user, name) for name in User.__slots__}
    try:
        await ctx.session.execute(insert(UserRow).values(values))
    except IntegrityError as error:
        raise EmailTaken from error


async def find_user(ctx: Context, user_id: str) -> User | None:
    """The user of that id."""
    row = await ctx.session.get(UserRow, user_id, populate_existing=True)
    return _user(row) if row else None


async def find_user_by_email(ctx: Context, email: str) -> User | None:
    """The user of that address, in any case."""
    query = select(UserRow).where(UserRow.email == email.lower()).execution_options(populate_existing=True)
    row = await ctx.session.scalar(query)
    return _user(row) if row else None


async def has_users(ctx: Context) -> bool:
    """Whether anybody has ever registered and stayed."""
    return await ctx.session.scalar(select(UserRow.id).limit(1)) is not None


async def change_user(ctx: Context, user_id: str, values: dict[str, Any]) -> None:
    """Write some columns of a user and count the change."""
    await ctx.session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(**values, updated_at=ctx.clock.now(), version=UserRow.version + 1)
        .execution_options(synchronize_session=False)
    )


async def note_sign_in(ctx: Context, user_id: str) -> None:
    """Write that the user signed in now; that is no change of the profile."""
    await ctx.session.execute(
        update(UserRow)
        .where(UserRow.id == user_id)
        .values(last_sign_in_at=ctx.clock.now())
        .execution_options(synchronize_session=False)
    )


async def delete_user(ctx: Context, user_id: str) -> None:
    """Delete a user with sessions, tokens and memberships."""
    await ctx.session.execute(delete(UserRow).where(UserRow.id == user_id).execution_options(synchronize_session=False))


async def add_membership(ctx: Context, membership: Membership) -> None:
    """Write a membership."""
    values = {
        "account_id": membership.account_id,
        "user_id": membership.user_id,
        "role": membership.role,
        "operations_scopes": sorted(membership.operations_scopes),
        "joined_at": membership.joined_at,
    }
    await ctx.session.execute(insert(AccountMemberRow).values(values))


async def change_membership(ctx: Context, account_id: str, user_id: str, values: dict[str, Any]) -> None:
    """Write the role or staff scopes of a membership."""
    await ctx.session.execute(
        update(AccountMemberRow)
        .where(AccountMemberRow.account_id == account_id, AccountMemberRow.user_id == user_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


async def delete_membership(ctx: Context, account_id: str, user_id: str) -> None:
    """Delete a membership."""
    await ctx.session.execute(
        delete(AccountMemberRow)
        .where(AccountMemberRow.account_id == account_id, AccountMemberRow.user_id == user_id)
        .execution_options(synchronize_session=False)
    )


async def find_membership(ctx: Context, account_id: str, user_id: str) -> Membership | None:
    """What the user is in the account."""
    row = await ctx.session.get(AccountMemberRow, (account_id, user_id), populate_existing=True)
    return _membership(row) if row else None


async def list_memberships(ctx: Context, user_id: str) -> list[tuple[Membership, Account]]:
    """The user's memberships with their accounts, oldest first."""
    query = (
        select(AccountMemberRow, AccountRow)
        .join(AccountRow, AccountRow.id == AccountMemberRow.account_id)
        .where(AccountMemberRow.user_id == user_id)
        .order_by(AccountMemberRow.joined_at, AccountMemberRow.account_id)
    )
    return [(_membership(row[0]), _account(row[1])) for row in (await ctx.session.execute(query)).all()]


async def list_members(ctx: Context, account_id: str, role: AccountRole | None, page: PageRequest) -> Page[Member]:
    """The people of an account."""
    query: Select[Any] = (
        select(UserRow, AccountMemberRow)  # pyright: ignore[reportAssignmentType]
        .join(AccountMemberRow, AccountMemberRow.user_id == UserRow.id)
        .where(AccountMemberRow.account_id == account_id)
    )
    if role is not None:
        query = query.where(AccountMemberRow.role == role)
    sortable = {
        "email": UserRow.email,
        "name": UserRow.name,
        "account_role": AccountMemberRow.role,
        "joined_at": AccountMemberRow.joined_at,
    }
    found = await paginate(ctx.session, query, page, sortable=sortable, default_sort="joined_at", tie_break=UserRow.id)
    members = [Member(_user(row[0]), _membership(row[1])) for row in found.results]
    return Page(members, found.total, found.limit, found.offset)


async def find_members(ctx: Context, account_id: str, user_ids: list[str]) -> dict[str, User]:
    """Those of the users who belong to the account, by id."""
    query = (
        select(UserRow)
        .join(AccountMemberRow, AccountMemberRow.user_id == UserRow.id)
        .where(AccountMemberRow.account_id == account_id, UserRow.id.in_(user_ids))
    )
    return {row.id: _user(row) for row in (await ctx.session.scalars(query)).all()}


async def count_members(ctx: Context, account_id: str, role: AccountRole | None = None) -> int:
    """How many people an account has, or how many in one role."""
    query = select(func.count()).select_from(AccountMemberRow).where(AccountMemberRow.account_id == account_id)
    if role is not None:
        query = query.where(AccountMemberRow.role == role)
    return await ctx.session.scalar(query) or 0


async def homes_elsewhere(ctx: Context, account_id: str) -> list[tuple[str, str | None]]:
    """Whose home the account is, each with another active account of theirs, or None."""
    users = (await ctx.session.scalars(select(UserRow.id).where(UserRow.account_id == account_id))).all()
    homes: list[tuple[str, str | None]] = []
    for user_id in users:
        others = [
            account.id
            for _, account in await list_memberships(ctx, user_id)
            if account.id != account_id and account.status is AccountStatus.ACTIVE
        ]
        homes.append((user_id, others[0] if others else None))
    return homes


async def add_export(ctx: Context, export: Export) -> None:
    """Write a requested export."""
    values = {name: getattr(export, name) for name in Export.__slots__}
    await ctx.session.execute(insert(AccountExportRow).values(values))


async def find_export(ctx: Context, account_id: str, export_id: str) -> Export | None:
    """The account's export of that id."""
    row = await ctx.session.get(AccountExportRow, export_id, populate_existing=True)
    if row is None or row.account_id != account_id:
        return None
    values: dict[str, Any] = {name: getattr(row, name) for name in Export.__slots__}
    values["status"] = ExportStatus(row.status)
    return Export(**values)


async def finish_export(ctx: Context, export_id: str, digest: str) -> None:
    """Note where the finished export lies."""
    await ctx.session.execute(
        update(AccountExportRow)
        .where(AccountExportRow.id == export_id)
        .values(status=ExportStatus.READY, blob_digest=digest, finished_at=ctx.clock.now())
        .execution_options(synchronize_session=False)
    )


async def export_digests(ctx: Context, account_id: str) -> list[str]:
    """The blobs of the account's exports."""
    query = select(AccountExportRow.blob_digest).where(AccountExportRow.account_id == account_id)
    return [digest for digest in (await ctx.session.scalars(query)).all() if digest is not None]


async def exports_before(ctx: Context, moment: datetime) -> list[tuple[str, str | None]]:
    """(id, blob) of the exports of all accounts that were finished before `moment`."""
    query = select(AccountExportRow.id, AccountExportRow.blob_digest).where(AccountExportRow.finished_at < moment)
    return [(row[0], row[1]) for row in await ctx.session.execute(query)]


async def remove_export(ctx: Context, export_id: str) -> None:
    """Forget an export."""
    await ctx.session.execute(delete(AccountExportRow).where(AccountExportRow.id == export_id))


def _account(row: AccountRow) -> Account:
    values: dict[str, Any] = {name: getattr(row, name) for name in Account.__slots__}
    values["status"] = AccountStatus(row.status)
    return Account(**values)


def _user(row: UserRow) -> User:
    values: dict[str, Any] = {name: getattr(row, name) for name in User.__slots__}
    values["status"] = UserStatus(row.status)
    return User(**values)


def _membership(row: AccountMemberRow) -> Membership:
    return Membership(
        account_id=row.account_id,
        user_id=row.user_id,
        role=AccountRole(row.role),
        operations_scopes=frozenset(row.operations_scopes),
        joined_at=row.joined_at,
    )
