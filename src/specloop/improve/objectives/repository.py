"""All SQL of objectives. Every read starts from the caller's workspace."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Select, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.objectives.errors import ObjectiveNotFound
from specloop.improve.objectives.model import ObjectiveContent, ObjectiveEntry, ObjectiveVersion, VersionStatus
from specloop.improve.objectives.tables import ObjectiveRow, ObjectiveVersionRow
from specloop.kit.ids import new_id

_SORTABLE = {"created_at": ObjectiveRow.created_at, "updated_at": ObjectiveRow.updated_at, "name": ObjectiveRow.name}


async def insert(ctx: Context, name: str, description: str, content: ObjectiveContent) -> str:
    """A new objective with version 1 as a draft; returns its id."""
    now = ctx.clock.now()
    objective_id = new_id()
    ctx.session.add(
        ObjectiveRow(
            id=objective_id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            name=name,
            description=description,
            created_at=now,
            updated_at=now,
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()
    await insert_version(ctx, objective_id, 1, content)
    return objective_id


async def insert_version(ctx: Context, objective_id: str, version: int, content: ObjectiveContent) -> None:
    """A draft version."""
    ctx.session.add(
        ObjectiveVersionRow(
            id=new_id(),
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            objective_id=objective_id,
            version=version,
            status=VersionStatus.DRAFT.value,
            body=content.as_json(),
            content_hash=content.content_hash,
            created_at=ctx.clock.now(),
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()


async def page_of(ctx: Context, page: PageRequest, status: str | None) -> Page[ObjectiveEntry]:
    """Objectives of the workspace with their newest versions; archived ones only when asked for."""
    query = cast("Select[Any]", _shown()).where(ObjectiveRow.workspace_id == ctx.workspace_id)
    query = query.where(ObjectiveRow.is_archived.is_(status == VersionStatus.ARCHIVED.value))
    if status in (VersionStatus.DRAFT.value, VersionStatus.ACTIVE.value):
        query = query.where(ObjectiveVersionRow.status == status)
    rows = await paginate(
        ctx.session, query, page, sortable=_SORTABLE, default_sort="-created_at", tie_break=ObjectiveRow.id
    )
    return Page([_entry(row, version) for row, version in rows.results], rows.total, rows.limit, rows.offset)


async def find(ctx: Context, objective_id: str, version: int | None = None) -> ObjectiveEntry:
    """An objective showing `version` (default: the newest).

    Raises: ObjectiveNotFound.
    """
    query = _shown(version).where(ObjectiveRow.workspace_id == ctx.workspace_id, ObjectiveRow.id == objective_id)
    found = (await ctx.session.execute(query)).first()
    if found is None:
        raise ObjectiveNotFound
    return _entry(found[0], found[1])


async def versions_of(ctx: Context, objective_id: str, page: PageRequest) -> Page[ObjectiveVersion]:
    """The versions of an objective, newest first."""
    query = select(ObjectiveVersionRow).where(
        ObjectiveVersionRow.workspace_id == ctx.workspace_id, ObjectiveVersionRow.objective_id == objective_id
    )
    rows = await paginate(
        ctx.session,
        query,
        page,
        sortable={"version": ObjectiveVersionRow.version},
        default_sort="-version",
        tie_break=ObjectiveVersionRow.id,
    )
    return Page([to_version(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def row_of(ctx: Context, objective_id: str) -> ObjectiveRow:
    """The row itself, locked for the rest of the transaction.

    Raises: ObjectiveNotFound.
    """
    row = await ctx.session.scalar(
        select(ObjectiveRow)
        .where(ObjectiveRow.workspace_id == ctx.workspace_id, ObjectiveRow.id == objective_id)
        .with_for_update()
    )
    if row is None:
        raise ObjectiveNotFound
    return row


async def version_row(ctx: Context, objective_id: str, version: int) -> ObjectiveVersionRow:
    """One version's row.

    Raises: ObjectiveNotFound.
    """
    row = await ctx.session.scalar(
        select(ObjectiveVersionRow).where(
            ObjectiveVersionRow.workspace_id == ctx.workspace_id,
            ObjectiveVersionRow.objective_id == objective_id,
            ObjectiveVersionRow.version == version,
        )
    )
    if row is None:
        raise ObjectiveNotFound
    return row


def _shown(version: int | None = None) -> Select[ObjectiveRow, ObjectiveVersionRow]:
    wanted = ObjectiveRow.latest_version if version is None else version
    return select(ObjectiveRow, ObjectiveVersionRow).join(
        ObjectiveVersionRow,
        (ObjectiveVersionRow.objective_id == ObjectiveRow.id) & (ObjectiveVersionRow.version == wanted),
    )


def to_version(row: ObjectiveVersionRow) -> ObjectiveVersion:
    """The version a row holds."""
    return ObjectiveVersion(
        id=row.id,
        objective_id=row.objective_id,
        version=row.version,
        status=VersionStatus(row.status),
        content=ObjectiveContent.of(row.body),
        created_at=row.created_at,
        activated_at=row.activated_at,
        created_by=row.created_by,
    )


def _entry(row: ObjectiveRow, version: ObjectiveVersionRow) -> ObjectiveEntry:
    return ObjectiveEntry(
        id=row.id,
        name=row.name,
        description=row.description,
        is_archived=row.is_archived,
        latest_version=row.latest_version,
        active_version=row.active_version,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        shown=to_version(version),
    )


async def version_by_id(ctx: Context, version_id: str) -> ObjectiveVersion:
    """One version by its own id.

    Raises: ObjectiveNotFound.
    """
    row = await ctx.session.scalar(
        select(ObjectiveVersionRow).where(
            ObjectiveVersionRow.workspace_id == ctx.workspace_id, ObjectiveVersionRow.id == version_id
        )
    )
    if row is None:
        raise ObjectiveNotFound
    return to_version(row)
