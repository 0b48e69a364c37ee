"""Users and memberships, as registration, sign-in, invitations and the gate need them."""

from __future__ import annotations

from dataclasses import dataclass, field

from specloop.db.context import Context
from specloop.identity import audit
from specloop.identity.accounts import repository
from specloop.identity.accounts.errors import EmailTaken
from specloop.identity.accounts.model import (
    PLAN_DEFAULT,
    SYSTEM_NAME,
    Account,
    AccountStatus,
    Membership,
    User,
    UserStatus,
)
from specloop.identity.scopes import OPERATIONS_SCOPES, AccountRole
from specloop.kit.ids import new_id


@dataclass(frozen=True, slots=True)
class NewUser:
    """Who registers; `password_hash` is None for people who only sign in through a provider."""

    email: str
    name: str
    timezone: str = "UTC"
    password_hash: str | None = field(default=None, repr=False)
    is_email_verified: bool = False


async def create_account(ctx: Context, name: str, *, is_system: bool = False) -> Account:
    """A new, empty account."""
    now = ctx.clock.now()
    account = Account(
        id=new_id(),
        name=name,
        plan=PLAN_DEFAULT,
        settings={},
        is_system=is_system,
        status=AccountStatus.ACTIVE,
        version=1,
        created_at=now,
        updated_at=now,
    )
    await repository.add_account(ctx, account)
    await audit.record(ctx, "account.created", "account", account.id, {"name": name}, account_id=account.id)
    return account


async def create_user(ctx: Context, account_id: str, new: NewUser, role: AccountRole) -> User:
    """A new user whose home is that account.

    Raises: EmailTaken.
    """
    if await repository.find_user_by_email(ctx, new.email) is not None:
        raise EmailTaken
    now = ctx.clock.now()
    user = User(
        id=new_id(),
        account_id=account_id,
        email=new.email.lower(),
        name=new.name,
        timezone=new.timezone,
        email_verified_at=now if new.is_email_verified else None,
        password_hash=new.password_hash,
        status=UserStatus.ACTIVE,
        version=1,
        created_at=now,
        updated_at=now,
        last_sign_in_at=None,
    )
    await repository.add_user(ctx, user)
    await repository.add_membership(ctx, Membership(account_id, user.id, role, frozenset(), now))
    detail = {"email": user.email, "account_role": role.value}
    await audit.record(ctx, "user.registered", "user", user.id, detail, account_id=account_id)
    return user


async def find_account(ctx: Context, account_id: str) -> Account | None:
    """The account of that id."""
    return await repository.find_account(ctx, account_id)


async def find_user(ctx: Context, user_id: str) -> User | None:
    """The user of that id."""
    return await repository.find_user(ctx, user_id)


async def find_user_by_email(ctx: Context, email: str) -> User | None:
    """The user of that address."""
    return await repository.find_user_by_email(ctx, email)


async def find_members(ctx: Context, user_ids: list[str]) -> dict[str, User]:
    """Those of the users who belong to the caller's account, by id: for names beside ids."""
    return await repository.find_members(ctx, ctx.principal.account_id, user_ids)


async def membership(ctx: Context, account_id: str, user_id: str) -> Membership | None:
    """What the user is in the account, or None."""
    return await repository.find_membership(ctx, account_id, user_id)


async def memberships(ctx: Context, user_id: str) -> list[tuple[Membership, Account]]:
    """The user's memberships with their accounts, oldest first."""
    return await repository.list_memberships(ctx, user_id)


async def has_owner(ctx: Context, account_id: str) -> bool:
    """Whether the account has somebody who may do everything in it."""
    return await repository.count_members(ctx, account_id, AccountRole.OWNER) > 0


async def join(ctx: Context, account_id: str, user: User, role: AccountRole) -> None:
    """Make the user a member there, and that account the user's home."""
    await repository.add_membership(ctx, Membership(account_id, user.id, role, frozenset(), ctx.clock.now()))
    await repository.change_user(ctx, user.id, {"account_id": account_id})
    detail = {"account_role": role.value}
    await audit.record(ctx, "member.joined", "user", user.id, detail, account_id=account_id)


async def set_password(ctx: Context, user_id: str, password_hash: str | None) -> None:
    """Replace the stored hash; None leaves the user without a password."""
    await repository.change_user(ctx, user_id, {"password_hash": password_hash})


async def verify_email(ctx: Context, user_id: str) -> None:
    """Note that somebody vouched for the user's address."""
    await repository.change_user(ctx, user_id, {"email_verified_at": ctx.clock.now()})


async def note_sign_in(ctx: Context, user_id: str) -> None:
    """Write that the user signed in now."""
    await repository.note_sign_in(ctx, user_id)


async def is_empty_server(ctx: Context) -> bool:
    """Whether nobody has an account yet."""
    return not await repository.has_users(ctx)


async def ensure_system(ctx: Context) -> Account:
    """The server's own account, made at the first start."""
    return await repository.find_system_account(ctx) or await create_account(ctx, SYSTEM_NAME, is_system=True)


async def make_staff(ctx: Context, user: User, scopes: frozenset[str] = frozenset(OPERATIONS_SCOPES)) -> None:
    """Make the user staff of this server with those operations scopes; only the operator's command line calls this."""
    values = {"role": AccountRole.OPERATIONS.value, "operations_scopes": sorted(scopes & OPERATIONS_SCOPES)}
    await repository.change_membership(ctx, user.account_id, user.id, values)
    detail = {"account_role": values["role"], "scopes": values["operations_scopes"]}
    await audit.record(ctx, "member.role_changed", "user", user.id, detail, account_id=user.account_id)
