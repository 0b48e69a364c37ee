"""SQL of managed templates and who follows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.run.agents.model import AgentStatus, ManagedTemplate, TemplateMode, TemplateVersion
from specloop.run.agents.tables import AgentRow, ManagedTemplateRow, TemplateVersionRow

_FOLLOWERS = (
    select(func.count())
    .select_from(AgentRow)
    .where(
        AgentRow.template_id == ManagedTemplateRow.id,
        AgentRow.template_mode == TemplateMode.FOLLOW.value,
        AgentRow.status == AgentStatus.ACTIVE.value,
    )
    .correlate(ManagedTemplateRow)
    .scalar_subquery()
)


def _to_template(row: ManagedTemplateRow, followers: int) -> ManagedTemplate:
    return ManagedTemplate(
        id=row.id,
        name=row.name,
        description=row.description,
        latest_version=row.latest_version,
        followers=followers,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
    )


def _to_version(row: TemplateVersionRow) -> TemplateVersion:
    return TemplateVersion(
        template_id=row.template_id,
        version=row.version,
        config=dict(row.config),
        config_hash=row.config_hash,
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
    )


async def add(ctx: Context, template: ManagedTemplate) -> None:
    """Insert a template."""
    ctx.session.add(
        ManagedTemplateRow(
            id=template.id,
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            name=template.name,
            description=template.description,
            latest_version=template.latest_version,
            version=template.version,
            created_at=template.created_at,
            updated_at=template.updated_at,
            created_by=template.created_by,
        )
    )
    await ctx.session.flush()


async def add_version(ctx: Context, version: TemplateVersion) -> None:
    """Insert a state of a template."""
    await ctx.session.execute(
        insert(TemplateVersionRow).values(
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            template_id=version.template_id,
            version=version.version,
            config=version.config,
            config_hash=version.config_hash,
            note=version.note,
            created_at=version.created_at,
            created_by=version.created_by,
        )
    )


async def get(ctx: Context, template_id: str, *, is_locked: bool = False) -> ManagedTemplate | None:
    """A template of the caller's workspace; with `is_locked` its row is held until the transaction ends."""
    query: Any = select(ManagedTemplateRow, _FOLLOWERS).where(
        ManagedTemplateRow.id == template_id, ManagedTemplateRow.workspace_id == ctx.workspace_id
    )
    if is_locked:
        query = query.with_for_update(of=ManagedTemplateRow)
    row: Any = (await ctx.session.execute(query.execution_options(populate_existing=True))).first()
    return None if row is None else _to_template(row[0], row[1])


async def list_templates(ctx: Context, page: PageRequest) -> Page[ManagedTemplate]:
    """The templates of the caller's workspace."""
    query: Any = select(ManagedTemplateRow, _FOLLOWERS).where(ManagedTemplateRow.workspace_id == ctx.workspace_id)
    sortable = {
        "name": ManagedTemplateRow.name,
        "created_at": ManagedTemplateRow.created_at,
        "updated_at": ManagedTemplateRow.updated_at,
    }
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="name", tie_break=ManagedTemplateRow.id
    )
    return Page([_to_template(row[0], row[1]) for row in found.results], found.total, found.limit, found.offset)


async def get_version(ctx: Context, template_id: str, version: int) -> TemplateVersion | None:
    """One state of a template."""
    row = await ctx.session.scalar(
        select(TemplateVersionRow).where(
            TemplateVersionRow.template_id == template_id,
            TemplateVersionRow.version == version,
            TemplateVersionRow.workspace_id == ctx.workspace_id,
        )
    )
    return None if row is None else _to_version(row)


async def list_versions(ctx: Context, template_id: str, page: PageRequest) -> Page[TemplateVersion]:
    """The states of a template, newest first unless `page` says otherwise."""
    query = select(TemplateVersionRow).where(
        TemplateVersionRow.template_id == template_id, TemplateVersionRow.workspace_id == ctx.workspace_id
    )
    sortable = {"version": TemplateVersionRow.version, "created_at": TemplateVersionRow.created_at}
    found = await paginate(
        ctx.session,
        query,
        page,
        sortable=sortable,
        default_sort="-version",
        tie_break=TemplateVersionRow.version.desc(),
    )
    return Page([_to_version(row) for row in found.results], found.total, found.limit, found.offset)


async def id_of_name(ctx: Context, name: str) -> str | None:
    """The template of that name in the caller's workspace."""
    return await ctx.session.scalar(
        select(ManagedTemplateRow.id).where(
            ManagedTemplateRow.workspace_id == ctx.workspace_id, ManagedTemplateRow.name == name
        )
    )


async def change(ctx: Context, template_id: str, values: Mapping[str, Any]) -> None:
    """Write `values` into a template of the caller's workspace and count the change."""
    await ctx.session.execute(
        update(ManagedTemplateRow)
        .where(ManagedTemplateRow.id == template_id, ManagedTemplateRow.workspace_id == ctx.workspace_id)
        .values(**values, version=ManagedTemplateRow.version + 1, updated_at=ctx.clock.now())
        .execution_options(synchronize_session=False)
    )


async def follower_ids(ctx: Context, template_id: str) -> list[str]:
    """The active agents that follow a template, oldest first."""
    ids = await ctx.session.scalars(
        select(AgentRow.id)
        .where(
            AgentRow.workspace_id == ctx.workspace_id,
            AgentRow.template_id == template_id,
            AgentRow.template_mode == TemplateMode.FOLLOW,
            AgentRow.status == AgentStatus.ACTIVE,
        )
        .order_by(AgentRow.id)
    )
    return list(ids)


async def remove(ctx: Context, template_id: str) -> None:
    """Delete a template and its versions; pinned and archived agents keep their configs and lose the link."""
    await ctx.session.execute(
        update(AgentRow)
        .where(AgentRow.template_id == template_id, AgentRow.workspace_id == ctx.workspace_id)
        .values(template_id=None, template_mode=None, template_version=None)
        .execution_options(synchronize_session=False)
    )
    for table, column in (
        (TemplateVersionRow, TemplateVersionRow.template_id),
        (ManagedTemplateRow, ManagedTemplateRow.id),
    ):
        await ctx.session.execute(
            delete(table)
            .where(column == template_id, table.workspace_id == ctx.workspace_id)
            .execution_options(synchronize_session=False)
        )
