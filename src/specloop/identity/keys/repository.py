"""All SQL of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.identity.keys.model import ApiKey, KeyStatus
from specloop.identity.keys.tables import ApiKeyRow
from specloop.identity.workspaces.model import WorkspaceStatus
from specloop.identity.workspaces.tables import WorkspaceRow


def to_key(row: ApiKeyRow) -> ApiKey:
    """The model of a row."""
    return ApiKey(
        id=row.id,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        name=row.name,
        prefix=row.prefix,
        last4=row.last4,
        created_at=row.created_at,
        created_by=row.created_by,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        rotated_from=row.rotated_from,
    )


async def add(ctx: Context, key: ApiKey, digest: str) -> None:
    """Insert a key under the digest of its secret."""
    ctx.session.add(
        ApiKeyRow(
            id=key.id,
            account_id=key.account_id,
            workspace_id=key.workspace_id,
            name=key.name,
            digest=digest,
            prefix=key.prefix,
            last4=key.last4,
            created_at=key.created_at,
            created_by=key.created_by,
            last_used_at=None,
            expires_at=key.expires_at,
            revoked_at=None,
            rotated_from=key.rotated_from,
        )
    )
    await ctx.session.flush()


async def find_by_digest(ctx: Context, digest: str) -> ApiKey | None:
    """The key with that digest, in any workspace that is active."""
    row = await ctx.session.scalar(
        select(ApiKeyRow)
        .join(WorkspaceRow, WorkspaceRow.id == ApiKeyRow.workspace_id)
        .where(ApiKeyRow.digest == digest, WorkspaceRow.status == WorkspaceStatus.ACTIVE)
    )
    return None if row is None else to_key(row)


async def get(ctx: Context, key_id: str) -> ApiKey | None:
    """The key of the caller's workspace; in a writing unit its row is held until the transaction ends."""
    row = await ctx.session.scalar(
        select(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.workspace_id == ctx.workspace_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return None if row is None else to_key(row)


async def change(ctx: Context, key_id: str, values: dict[str, Any]) -> None:
    """Write `values` into a key of the caller's workspace."""
    await ctx.session.execute(
        update(ApiKeyRow)
        .where(ApiKeyRow.id == key_id, ApiKeyRow.workspace_id == ctx.workspace_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


async def list_keys(ctx: Context, status: KeyStatus | None, page: PageRequest) -> Page[ApiKey]:
    """The keys of the caller's workspace."""
    query = select(ApiKeyRow).where(ApiKeyRow.workspace_id == ctx.workspace_id)
    if status is not None:
        query = query.where(_has_status(status, ctx.clock.now()))
    sortable = {
        "name": ApiKeyRow.name,
        "created_at": ApiKeyRow.created_at,
        "last_used_at": ApiKeyRow.last_used_at,
        "expires_at": ApiKeyRow.expires_at,
    }
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="-created_at", tie_break=ApiKeyRow.id.desc()
    )
    return Page([to_key(row) for row in found.results], found.total, found.limit, found.offset)


def _has_status(status: KeyStatus, now: datetime) -> ColumnElement[bool]:
    is_kept = ApiKeyRow.revoked_at.is_(None)
    match status:
        case KeyStatus.REVOKED:
            return ~is_kept
        case KeyStatus.EXPIRED:
            return is_kept & (ApiKeyRow.expires_at <= now)
        case KeyStatus.ACTIVE:
            return is_kept & or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > now)


async def mark_used(ctx: Context, moments: Mapping[str, datetime]) -> None:
    """Write when keys were last used, for keys of any workspace."""
    for key_id, moment in moments.items():
        is_newer = or_(ApiKeyRow.last_used_at.is_(None), ApiKeyRow.last_used_at < moment)
        await ctx.session.execute(
            update(ApiKeyRow)
            .where(ApiKeyRow.id == key_id, is_newer)
            .values(last_used_at=moment)
            .execution_options(synchronize_session=False)
        )
