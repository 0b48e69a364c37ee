"""What users change about themselves."""

from __future__ import annotations

from specloop.db.context import Context
from specloop.errors import NotFound
from specloop.identity import audit
from specloop.identity.accounts import repository
from specloop.identity.accounts.errors import MemberNotFound


async def change_profile(ctx: Context, user_id: str, name: str | None, timezone: str | None) -> None:
    """Change the name, the time zone, or both.

    Raises: NotFound.
    """
    user = await repository.find_user(ctx, user_id)
    if user is None:
        raise NotFound
    wanted = {"name": name, "timezone": timezone}
    values = {key: value for key, value in wanted.items() if value is not None and value != getattr(user, key)}
    if values:
        await repository.change_user(ctx, user_id, values)
        await audit.record(ctx, "user.changed", "user", user_id, {"fields": sorted(values)})


async def change_home(ctx: Context, user_id: str, account_id: str) -> None:
    """Make another account of the user the one where the user stands.

    Raises: MemberNotFound when the user does not belong to it.
    """
    if await repository.find_membership(ctx, account_id, user_id) is None:
        raise MemberNotFound
    await repository.change_user(ctx, user_id, {"account_id": account_id})
    await audit.record(ctx, "user.account_chosen", "user", user_id, {"account_id": account_id})
