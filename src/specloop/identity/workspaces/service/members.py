"""Who belongs to a workspace, and in which role."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.identity.scopes import WorkspaceRole
from specloop.identity.workspaces import repository
from specloop.identity.workspaces.errors import AlreadyMember, LastAdmin, MemberNotFound, NotInAccount
from specloop.identity.workspaces.model import Person
from specloop.identity.workspaces.service.lifecycle import VersionCheck
from specloop.identity.workspaces.service.standing import current_active


async def list_people(ctx: Context, role: WorkspaceRole | None, page: PageRequest) -> Page[Person]:
    """The members of the caller's workspace with their profiles."""
    return await repository.list_people(ctx, role, page)


async def add(ctx: Context, *, user_id: str | None, email: str | None, role: WorkspaceRole) -> Person:
    """Give a user of the account, named by id or e-mail, a place in the caller's workspace.

    Raises: NotInAccount, AlreadyMember, WorkspaceArchived.
    """
    workspace = await current_active(ctx)
    found = await repository.find_user(ctx, user_id=user_id, email=email)
    if found is None:
        raise NotInAccount
    if await repository.person(ctx, found) is not None:
        raise AlreadyMember
    await repository.add_member(ctx, workspace, found, role)
    await audit.record(ctx, "member.added", "user", found, {"role": role.value})
    return await _person(ctx, found)


async def change_role(ctx: Context, user_id: str, role: WorkspaceRole, check: VersionCheck) -> Person:
    """Give a member another role.

    Raises: MemberNotFound, LastAdmin, WorkspaceArchived, PreconditionFailed.
    """
    await current_active(ctx)  # its lock keeps two admins from stepping down at once
    person = await _person(ctx, user_id)
    check(person.member.version)
    if role is person.member.role:
        return person
    if role is not WorkspaceRole.ADMIN:
        await _keep_an_admin(ctx, person)
    await repository.set_role(ctx, user_id, role)
    detail = {"from": person.member.role.value, "to": role.value}
    await audit.record(ctx, "member.role_changed", "user", user_id, detail)
    return await _person(ctx, user_id)


async def remove(ctx: Context, user_id: str, check: VersionCheck) -> None:
    """Take a member's place away.

    Raises: MemberNotFound, LastAdmin, WorkspaceArchived, PreconditionFailed.
    """
    await current_active(ctx)
    person = await _person(ctx, user_id)
    check(person.member.version)
    await _keep_an_admin(ctx, person)
    await repository.remove_member(ctx, user_id)
    await audit.record(ctx, "member.removed", "user", user_id, {"role": person.member.role.value})


async def _person(ctx: Context, user_id: str) -> Person:
    person = await repository.person(ctx, user_id)
    if person is None:
        raise MemberNotFound
    return person


async def _keep_an_admin(ctx: Context, leaving: Person) -> None:
    """An account owner can always step in, so only a workspace without both is out of reach (router 3)."""
    if leaving.member.role is not WorkspaceRole.ADMIN or await repository.count_admins(ctx) > 1:
        return
    if not await repository.has_owner(ctx):
        raise LastAdmin
