"""All SQL of personal keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, insert, or_, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.personal_keys.model import PersonalKey
from specloop.identity.personal_keys.tables import PersonalKeyRow


async def add(ctx: Context, key: PersonalKey, digest: str) -> None:
    """Write a key under the digest of its secret."""
    values = {name: getattr(key, name) for name in PersonalKey.__slots__}
    await ctx.session.execute(insert(PersonalKeyRow).values(**values, digest=digest))


async def find_by_digest(ctx: Context, digest: str) -> PersonalKey | None:
    """The key with that digest, whatever its state."""
    row = await ctx.session.scalar(select(PersonalKeyRow).where(PersonalKeyRow.digest == digest))
    return None if row is None else _key(row)


async def count_live(ctx: Context, user_id: str) -> int:
    """How many keys of the user are not revoked."""
    query = select(func.count()).where(PersonalKeyRow.user_id == user_id, PersonalKeyRow.revoked_at.is_(None))
    return await ctx.session.scalar(query) or 0


async def list_keys(ctx: Context, user_id: str, page: PageRequest) -> Page[PersonalKey]:
    """The user's keys, newest first unless `page` says otherwise."""
    query = select(PersonalKeyRow).where(PersonalKeyRow.user_id == user_id)
    sortable = {"name": PersonalKeyRow.name, "created_at": PersonalKeyRow.created_at}
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="-created_at", tie_break=PersonalKeyRow.id.desc()
    )
    return Page([_key(row) for row in found.results], found.total, found.limit, found.offset)


async def revoke(ctx: Context, user_id: str, key_id: str) -> str | None:
    """End a key of the user; its name, or None when there is none to end."""
    result = await ctx.session.execute(
        update(PersonalKeyRow)
        .where(PersonalKeyRow.id == key_id, PersonalKeyRow.user_id == user_id, PersonalKeyRow.revoked_at.is_(None))
        .values(revoked_at=ctx.clock.now())
        .returning(PersonalKeyRow.name)
        .execution_options(synchronize_session=False)
    )
    row = result.first()
    return None if row is None else row[0]


async def mark_used(ctx: Context, moments: Mapping[str, datetime]) -> None:
    """Write when keys were last used."""
    for key_id, moment in moments.items():
        is_newer = or_(PersonalKeyRow.last_used_at.is_(None), PersonalKeyRow.last_used_at < moment)
        await ctx.session.execute(
            update(PersonalKeyRow)
            .where(PersonalKeyRow.id == key_id, is_newer)
            .values(last_used_at=moment)
            .execution_options(synchronize_session=False)
        )


def _key(row: PersonalKeyRow) -> PersonalKey:
    return PersonalKey(**{name: getattr(row, name) for name in PersonalKey.__slots__})
