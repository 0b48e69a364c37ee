"""All SQL of device codes, devices and their tokens."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.devices.model import Device, Origin
from specloop.identity.devices.tables import DeviceCodeRow, DeviceRow, DeviceTokenRow

_ORIGIN = tuple(one.name for one in fields(Origin))


async def has_code(ctx: Context, digest: str) -> bool:
    """Whether that code was given out and is still remembered."""
    return await ctx.session.scalar(select(DeviceCodeRow.digest).where(DeviceCodeRow.digest == digest)) is not None


async def add_code(ctx: Context, digest: str, user_id: str, expires_at: datetime) -> None:
    """Write a code."""
    values = {"digest": digest, "user_id": user_id, "created_at": ctx.clock.now(), "expires_at": expires_at}
    await ctx.session.execute(insert(DeviceCodeRow).values(values))


async def sweep_codes(ctx: Context, expired_before: datetime) -> None:
    """Forget codes that expired before a moment; until then they are told apart from wrong ones."""
    await ctx.session.execute(delete(DeviceCodeRow).where(DeviceCodeRow.expires_at < expired_before))


async def drop_oldest_codes(ctx: Context, user_id: str, kept: int) -> None:
    """Withdraw the user's unused codes but the newest `kept`."""
    unused = (
        select(DeviceCodeRow.digest)
        .where(DeviceCodeRow.user_id == user_id, DeviceCodeRow.used_at.is_(None))
        .order_by(DeviceCodeRow.created_at.desc())
        .limit(1000)
        .offset(kept)
    )
    too_many = list(await ctx.session.scalars(unused))
    if too_many:
        await ctx.session.execute(delete(DeviceCodeRow).where(DeviceCodeRow.digest.in_(too_many)))


async def spend_code(ctx: Context, digest: str) -> str | None:
    """Whose the code was, once; None when it is unknown, used or expired. Of two racing calls one gets the user."""
    result = await ctx.session.execute(
        update(DeviceCodeRow)
        .where(
            DeviceCodeRow.digest == digest,
            DeviceCodeRow.used_at.is_(None),
            DeviceCodeRow.expires_at > ctx.clock.now(),
        )
        .values(used_at=ctx.clock.now())
        .returning(DeviceCodeRow.user_id)
        .execution_options(synchronize_session=False)
    )
    row = result.first()
    return None if row is None else row[0]


async def find_code(ctx: Context, digest: str) -> tuple[datetime | None, datetime] | None:
    """(used at, expires at) of a code, or None when it is unknown."""
    row = (
        await ctx.session.execute(
            select(DeviceCodeRow.used_at, DeviceCodeRow.expires_at).where(DeviceCodeRow.digest == digest)
        )
    ).first()
    return None if row is None else (row[0], row[1])


async def add_device(ctx: Context, device: Device, refresh_digest: str) -> None:
    """Write a new device."""
    values: dict[str, Any] = {
        "id": device.id,
        "user_id": device.user_id,
        "refresh_digest": refresh_digest,
        **{name: getattr(device.origin, name) for name in _ORIGIN},
        "client_ip": device.client_ip,
        "created_at": device.created_at,
        "last_used_at": device.last_used_at,
        "expires_at": device.expires_at,
    }
    await ctx.session.execute(insert(DeviceRow).values(values))


async def find_by_refresh(ctx: Context, digest: str) -> Device | None:
    """The device of a refresh token, revoked or not."""
    row = await ctx.session.scalar(select(DeviceRow).where(DeviceRow.refresh_digest == digest))
    return None if row is None else _device(row)


async def find_by_access(ctx: Context, digest: str) -> tuple[Device, datetime] | None:
    """The device of an access token, revoked or not, and when the token expires."""
    query = (
        select(DeviceRow, DeviceTokenRow.expires_at)
        .join(DeviceTokenRow, DeviceTokenRow.device_id == DeviceRow.id)
        .where(DeviceTokenRow.digest == digest)
    )
    row = (await ctx.session.execute(query)).first()
    return None if row is None else (_device(row[0]), row[1])


async def add_token(ctx: Context, digest: str, device_id: str, expires_at: datetime) -> None:
    """Write an access token, note that the device was used, and forget the device's expired tokens."""
    now = ctx.clock.now()
    expired = (DeviceTokenRow.device_id == device_id) & (DeviceTokenRow.expires_at < now)
    await ctx.session.execute(delete(DeviceTokenRow).where(expired))
    await ctx.session.execute(insert(DeviceTokenRow).values(digest=digest, device_id=device_id, expires_at=expires_at))
    await ctx.session.execute(
        update(DeviceRow)
        .where(DeviceRow.id == device_id)
        .values(last_used_at=now)
        .execution_options(synchronize_session=False)
    )


async def revoke(ctx: Context, *, user_id: str, device_id: str | None = None) -> list[str]:
    """End one device or all of a user, with their tokens; returns the ids of those that were live."""
    statement = update(DeviceRow).where(DeviceRow.user_id == user_id, DeviceRow.revoked_at.is_(None))
    if device_id is not None:
        statement = statement.where(DeviceRow.id == device_id)
    result = await ctx.session.execute(
        statement.values(revoked_at=ctx.clock.now())
        .returning(DeviceRow.id)
        .execution_options(synchronize_session=False)
    )
    ended = [row[0] for row in result.all()]
    if ended:
        await ctx.session.execute(delete(DeviceTokenRow).where(DeviceTokenRow.device_id.in_(ended)))
    return ended


async def list_live(ctx: Context, user_id: str, page: PageRequest) -> Page[Device]:
    """The user's devices that may still record, most recently used first."""
    query = select(DeviceRow).where(
        DeviceRow.user_id == user_id, DeviceRow.revoked_at.is_(None), DeviceRow.expires_at > ctx.clock.now()
    )
    sortable = {
        "created_at": DeviceRow.created_at,
        "last_used_at": DeviceRow.last_used_at,
        "hostname": func.lower(DeviceRow.hostname),
    }
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="-last_used_at", tie_break=DeviceRow.id.desc()
    )
    return Page([_device(row) for row in found.results], found.total, found.limit, found.offset)


def _device(row: DeviceRow) -> Device:
    return Device(
        id=row.id,
        user_id=row.user_id,
        origin=Origin(**{name: getattr(row, name) for name in _ORIGIN}),
        client_ip=row.client_ip,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
