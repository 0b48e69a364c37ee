"""All SQL of projects: found by client id, alias or row id, always among the caller's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import CursorResult

from specloop.db.base import Base
from specloop.db.context import Context
from specloop.kit.ids import new_id, parse_uuid
from specloop.record.projects.model import Project
from specloop.record.projects.tables import PROJECTS, ProjectAliasRow, ProjectRow

_COLUMNS = PROJECTS.columns
_BY_CLIENT_ID: Final = select(*_COLUMNS).where(
    _COLUMNS.workspace_id == bindparam("workspace"),
    _COLUMNS.owner_id == bindparam("owner"),
    _COLUMNS.client_id == bindparam("client_id"),
)
_KEPT_BY_CLIENT_ID: Final = _BY_CLIENT_ID.with_for_update(read=True, key_share=True)


def owned(ctx: Context, table: type[ProjectRow | ProjectAliasRow] = ProjectRow) -> ColumnElement[bool]:
    """The rows of the caller in its workspace; projects are nobody else's (specstory.md §12, O6)."""
    return and_(table.workspace_id == ctx.workspace_id, table.owner_id == (ctx.principal.user_id or ""))


def insert_once(ctx: Context, table: type[Base]) -> Any:
    """An INSERT that does nothing when a unique key is taken, waiting for whoever is taking it."""
    make: Any = postgresql_insert if ctx.uow.engine_name == "postgresql" else sqlite_insert
    return make(table).on_conflict_do_nothing()


async def find(ctx: Context, project_id: str, *, is_kept: bool = False) -> Project | None:
    """The project with this client id, else this alias, else this row id.

    With `is_kept` nobody can delete or merge it before the transaction ends.
    """
    found = await _by_client_id(ctx, project_id, is_kept)
    if found is None:
        aliased = select(ProjectAliasRow.project_id).where(
            owned(ctx, ProjectAliasRow), ProjectAliasRow.alias == project_id
        )
        found = await _one(ctx, ProjectRow.id.in_(aliased), is_kept)
    if found is None and (row_id := parse_uuid(project_id)) is not None:
        found = await _one(ctx, ProjectRow.id == row_id, is_kept)
    return found


async def _by_client_id(ctx: Context, client_id: str, is_kept: bool) -> Project | None:
    owner = {"workspace": ctx.workspace_id, "owner": ctx.principal.user_id or "", "client_id": client_id}
    connection = await ctx.session.connection()
    row = (await connection.execute(_KEPT_BY_CLIENT_ID if is_kept else _BY_CLIENT_ID, owner)).mappings().first()
    return None if row is None else Project(**row)


async def _one(ctx: Context, condition: ColumnElement[bool], is_kept: bool) -> Project | None:
    query = select(*_COLUMNS).where(owned(ctx), condition)
    if is_kept:
        query = query.with_for_update(read=True, key_share=True)
    row = (await ctx.session.execute(query)).mappings().first()
    return None if row is None else Project(**row)


async def find_all(ctx: Context, project_ids: Sequence[str]) -> list[Project]:
    """The projects among these ids (client ids, aliases, row ids)."""
    aliased = select(ProjectAliasRow.project_id).where(
        owned(ctx, ProjectAliasRow), ProjectAliasRow.alias.in_(project_ids)
    )
    named = ProjectRow.client_id.in_(project_ids) | ProjectRow.id.in_(aliased) | ProjectRow.id.in_(project_ids)
    rows = await ctx.session.execute(select(*_COLUMNS).where(owned(ctx), named))
    return [Project(**row) for row in rows.mappings()]


async def list_all(ctx: Context) -> list[Project]:
    """The caller's projects by name."""
    rows = await ctx.session.execute(select(*_COLUMNS).where(owned(ctx)).order_by(ProjectRow.name, ProjectRow.id))
    return [Project(**row) for row in rows.mappings()]


async def lock(ctx: Context, row_ids: Sequence[str]) -> None:
    """Keep uploads out of these projects until the transaction ends."""
    query = select(ProjectRow.id).where(owned(ctx), ProjectRow.id.in_(row_ids)).order_by(ProjectRow.id)
    await ctx.session.execute(query.with_for_update())


async def add(ctx: Context, project: Project) -> bool:
    """Insert the project; False when its client id is taken."""
    values = {name: getattr(project, name) for name in _COLUMNS.keys()}  # noqa: SIM118  (columns are no mapping)
    result = await ctx.session.execute(insert_once(ctx, ProjectRow).values(values).returning(ProjectRow.id))
    return result.first() is not None


async def change(ctx: Context, row_id: str, values: dict[str, Any]) -> None:
    """Set columns of a project."""
    await ctx.session.execute(update(ProjectRow).where(owned(ctx), ProjectRow.id == row_id).values(values))


async def remove(ctx: Context, row_id: str) -> bool:
    """Delete the project and, by the foreign keys, everything in it."""
    result = await ctx.session.execute(delete(ProjectRow).where(owned(ctx), ProjectRow.id == row_id))
    return isinstance(result, CursorResult) and result.rowcount > 0


async def aliases(ctx: Context) -> dict[str, list[str]]:
    """Project row id → its other ids."""
    query = select(ProjectAliasRow.project_id, ProjectAliasRow.alias).where(owned(ctx, ProjectAliasRow))
    found: dict[str, list[str]] = {}
    for project_id, alias in await ctx.session.execute(query.order_by(ProjectAliasRow.alias)):
        found.setdefault(project_id, []).append(alias)
    return found


async def redirect(ctx: Context, source: Project, target: Project) -> None:
    """Let every id of `source` name `target` from now on."""
    await ctx.session.execute(
        update(ProjectAliasRow)
        .where(owned(ctx, ProjectAliasRow), ProjectAliasRow.project_id == source.id)
        .values(project_id=target.id)
    )
    await ctx.session.execute(
        insert(ProjectAliasRow).values(
            account_id=target.account_id,
            workspace_id=target.workspace_id,
            owner_id=target.owner_id,
            alias=source.client_id,
            project_id=target.id,
            created_at=ctx.clock.now(),
        )
    )


def fresh(ctx: Context, client_id: str, name: str, icon: str, color: str) -> Project:
    """A project of the caller that is not stored yet."""
    now = ctx.clock.now()
    return Project(
        id=new_id(),
        account_id=ctx.principal.account_id,
        workspace_id=ctx.workspace_id,
        owner_id=ctx.principal.user_id or "",
        client_id=client_id,
        name=name,
        icon=icon,
        color=color,
        created_at=now,
        updated_at=now,
    )
