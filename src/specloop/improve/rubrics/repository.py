"""All SQL of rubrics. Every read starts from the caller's workspace."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import Select, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.improve.rubrics.errors import RubricNotFound
from specloop.improve.rubrics.model import Aggregation, Rubric, RubricContent, RubricVersion, VersionStatus
from specloop.improve.rubrics.tables import RubricRow, RubricVersionRow
from specloop.kit.ids import new_id

_SORTABLE = {"created_at": RubricRow.created_at, "updated_at": RubricRow.updated_at, "name": RubricRow.name}


async def insert(ctx: Context, name: str, description: str, content: RubricContent) -> str:
    """A new rubric with version 1 as a draft; returns its id."""
    now = ctx.clock.now()
    rubric_id = new_id()
    ctx.session.add(
        RubricRow(
            id=rubric_id,
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
    await insert_version(ctx, rubric_id, 1, content)
    return rubric_id


async def insert_version(ctx: Context, rubric_id: str, version: int, content: RubricContent) -> None:
    """A draft version."""
    ctx.session.add(
        RubricVersionRow(
            id=new_id(),
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            rubric_id=rubric_id,
            version=version,
            status=VersionStatus.DRAFT.value,
            dimensions=content.as_json(),
            aggregation=content.aggregation,
            content_hash=content.content_hash,
            created_at=ctx.clock.now(),
            created_by=ctx.principal.actor_id,
        )
    )
    await ctx.session.flush()


async def page_of(ctx: Context, page: PageRequest, status: str | None) -> Page[Rubric]:
    """Rubrics of the workspace with their newest versions; archived ones only when asked for."""
    query = cast("Select[Any]", _shown()).where(RubricRow.workspace_id == ctx.workspace_id)
    query = query.where(RubricRow.is_archived.is_(status == VersionStatus.ARCHIVED.value))
    if status in (VersionStatus.DRAFT.value, VersionStatus.ACTIVE.value):
        query = query.where(RubricVersionRow.status == status)
    rows = await paginate(
        ctx.session, query, page, sortable=_SORTABLE, default_sort="-created_at", tie_break=RubricRow.id
    )
    return Page([_rubric(row, version) for row, version in rows.results], rows.total, rows.limit, rows.offset)


async def find(ctx: Context, rubric_id: str, version: int | None = None) -> Rubric:
    """A rubric showing `version` (default: the newest).

    Raises: RubricNotFound.
    """
    query = _shown(version).where(RubricRow.workspace_id == ctx.workspace_id, RubricRow.id == rubric_id)
    found = (await ctx.session.execute(query)).first()
    if found is None:
        raise RubricNotFound
    return _rubric(found[0], found[1])


async def versions_of(ctx: Context, rubric_id: str, page: PageRequest) -> Page[RubricVersion]:
    """The versions of a rubric, newest first."""
    query = select(RubricVersionRow).where(
        RubricVersionRow.workspace_id == ctx.workspace_id, RubricVersionRow.rubric_id == rubric_id
    )
    rows = await paginate(
        ctx.session,
        query,
        page,
        sortable={"version": RubricVersionRow.version},
        default_sort="-version",
        tie_break=RubricVersionRow.id,
    )
    return Page([to_version(row) for row in rows.results], rows.total, rows.limit, rows.offset)


async def row_of(ctx: Context, rubric_id: str) -> RubricRow:
    """The row itself, locked for the rest of the transaction.

    Raises: RubricNotFound.
    """
    row = await ctx.session.scalar(
        select(RubricRow).where(RubricRow.workspace_id == ctx.workspace_id, RubricRow.id == rubric_id).with_for_update()
    )
    if row is None:
        raise RubricNotFound
    return row


async def version_row(ctx: Context, rubric_id: str, version: int) -> RubricVersionRow:
    """One version's row.

    Raises: RubricNotFound.
    """
    row = await ctx.session.scalar(
        select(RubricVersionRow).where(
            RubricVersionRow.workspace_id == ctx.workspace_id,
            RubricVersionRow.rubric_id == rubric_id,
            RubricVersionRow.version == version,
        )
    )
    if row is None:
        raise RubricNotFound
    return row


def _shown(version: int | None = None) -> Select[RubricRow, RubricVersionRow]:
    wanted = RubricRow.latest_version if version is None else version
    return select(RubricRow, RubricVersionRow).join(
        RubricVersionRow, (RubricVersionRow.rubric_id == RubricRow.id) & (RubricVersionRow.version == wanted)
    )


def to_version(row: RubricVersionRow) -> RubricVersion:
    """The version a row holds."""
    return RubricVersion(
        id=row.id,
        rubric_id=row.rubric_id,
        version=row.version,
        status=VersionStatus(row.status),
        content=RubricContent.of(row.dimensions, cast(Aggregation, row.aggregation)),
        created_at=row.created_at,
        activated_at=row.activated_at,
        created_by=row.created_by,
    )


def _rubric(row: RubricRow, version: RubricVersionRow) -> Rubric:
    return Rubric(
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
