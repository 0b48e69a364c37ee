"""SQL of config versions, and the one query of the hot path."""

from __future__ import annotations

from typing import Any

from sqlalchemy import bindparam, insert, select

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.run.agents.model import AgentConfigVersion, VersionSource
from specloop.run.agents.tables import AgentConfigVersionRow, AgentRow


def to_version(row: AgentConfigVersionRow) -> AgentConfigVersion:
    """The model of a row."""
    return AgentConfigVersion(
        agent_id=row.agent_id,
        version=row.version,
        parent_version=row.parent_version,
        config=dict(row.config),
        config_hash=row.config_hash,
        source=VersionSource(row.source),
        changeset_id=row.changeset_id,
        note=row.note,
        created_at=row.created_at,
        created_by=row.created_by,
    )


async def add(ctx: Context, version: AgentConfigVersion) -> None:
    """Insert a version; there is no way to change one."""
    await ctx.session.execute(
        insert(AgentConfigVersionRow).values(
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            agent_id=version.agent_id,
            version=version.version,
            parent_version=version.parent_version,
            config=version.config,
            config_hash=version.config_hash,
            source=version.source,
            changeset_id=version.changeset_id,
            note=version.note,
            created_at=version.created_at,
            created_by=version.created_by,
        )
    )


async def get(ctx: Context, agent_id: str, version: int) -> AgentConfigVersion | None:
    """One version of an agent of the caller's workspace."""
    row = await ctx.session.scalar(
        select(AgentConfigVersionRow).where(
            AgentConfigVersionRow.agent_id == agent_id,
            AgentConfigVersionRow.version == version,
            AgentConfigVersionRow.workspace_id == ctx.workspace_id,
        )
    )
    return None if row is None else to_version(row)


async def list_versions(
    ctx: Context, agent_id: str, source: VersionSource | None, page: PageRequest
) -> Page[AgentConfigVersion]:
    """The versions of an agent, newest first unless `page` says otherwise."""
    query = select(AgentConfigVersionRow).where(
        AgentConfigVersionRow.agent_id == agent_id, AgentConfigVersionRow.workspace_id == ctx.workspace_id
    )
    if source is not None:
        query = query.where(AgentConfigVersionRow.source == source)
    sortable = {"version": AgentConfigVersionRow.version, "created_at": AgentConfigVersionRow.created_at}
    found = await paginate(
        ctx.session,
        query,
        page,
        sortable=sortable,
        default_sort="-version",
        tie_break=AgentConfigVersionRow.version.desc(),
    )
    return Page([to_version(row) for row in found.results], found.total, found.limit, found.offset)


# Made once: the hot path should not pay for building the same statement on every request.
_HEADS: Any = select(AgentRow.promoted_version, AgentConfigVersionRow.config_hash).where(
    AgentRow.id == bindparam("agent_id"),
    AgentRow.workspace_id == bindparam("in_workspace"),
    AgentConfigVersionRow.agent_id == AgentRow.id,
)
_PROMOTED_HEAD = _HEADS.where(AgentConfigVersionRow.version == AgentRow.promoted_version)
_NAMED_HEAD = _HEADS.where(AgentConfigVersionRow.version == bindparam("version_number"))


async def head(ctx: Context, agent_id: str, version: int | None) -> tuple[int, str] | None:
    """(promoted version, hash of the asked version) in one query; None asks for the promoted version."""
    values: dict[str, Any] = {"agent_id": agent_id, "in_workspace": ctx.workspace_id}
    if version is not None:
        values["version_number"] = version
    row: Any = (await ctx.session.execute(_PROMOTED_HEAD if version is None else _NAMED_HEAD, values)).first()
    return None if row is None else (row[0], row[1])
