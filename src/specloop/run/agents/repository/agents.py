"""SQL of agents, their dependencies and their promotions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest, paginate
from specloop.kit.ids import new_id
from specloop.run.agents.model import (
    Agent,
    AgentOrigin,
    AgentStatus,
    ComponentSpec,
    Promotion,
    ServedAgent,
    TemplateMode,
)
from specloop.run.agents.repository.versions import to_version
from specloop.run.agents.tables import AgentConfigVersionRow, AgentDependencyRow, AgentPromotionRow, AgentRow


def to_agent(row: AgentRow, depends_on: Iterable[str]) -> Agent:
    """The model of a row and its dependencies."""
    return Agent(
        id=row.id,
        account_id=row.account_id,
        workspace_id=row.workspace_id,
        name=row.name,
        slug=row.slug,
        role=row.role,
        description=row.description,
        origin=AgentOrigin(row.origin),
        status=AgentStatus(row.status),
        runtime=dict(row.runtime),
        match=dict(row.match),
        depends_on=tuple(depends_on),
        template_id=row.template_id,
        template_mode=None if row.template_mode is None else TemplateMode(row.template_mode),
        template_version=row.template_version,
        promoted_version=row.promoted_version,
        latest_version=row.latest_version,
        components=tuple(ComponentSpec.from_document(document) for document in row.components),
        has_declared_components=row.has_declared_components,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
    )


async def add(ctx: Context, agent: Agent) -> None:
    """Insert an agent; its dependencies are set apart."""
    ctx.session.add(
        AgentRow(
            id=agent.id,
            account_id=agent.account_id,
            workspace_id=agent.workspace_id,
            name=agent.name,
            slug=agent.slug,
            role=agent.role,
            description=agent.description,
            origin=agent.origin,
            status=agent.status,
            runtime=agent.runtime,
            match=agent.match,
            template_id=agent.template_id,
            template_mode=agent.template_mode,
            template_version=agent.template_version,
            promoted_version=agent.promoted_version,
            latest_version=agent.latest_version,
            components=[component.as_document() for component in agent.components],
            has_declared_components=agent.has_declared_components,
            version=agent.version,
            created_at=agent.created_at,
            updated_at=agent.updated_at,
            created_by=agent.created_by,
        )
    )
    await ctx.session.flush()


async def get(ctx: Context, agent_id: str, *, is_locked: bool = False) -> Agent | None:
    """An agent of the caller's workspace; with `is_locked` its row is held until the transaction ends."""
    query = select(AgentRow).where(AgentRow.id == agent_id, AgentRow.workspace_id == ctx.workspace_id)
    if is_locked:
        query = query.with_for_update()
    row = await ctx.session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        return None
    return to_agent(row, (await edges(ctx, [agent_id])).get(agent_id, ()))


async def change(ctx: Context, agent_id: str, values: Mapping[str, Any]) -> None:
    """Write `values` into an agent of the caller's workspace and count the change."""
    await ctx.session.execute(
        update(AgentRow)
        .where(AgentRow.id == agent_id, AgentRow.workspace_id == ctx.workspace_id)
        .values(**values, version=AgentRow.version + 1, updated_at=ctx.clock.now())
        .execution_options(synchronize_session=False)
    )


async def list_served(
    ctx: Context, status: AgentStatus | None, origin: AgentOrigin | None, page: PageRequest
) -> Page[ServedAgent]:
    """The agents of the caller's workspace, each with its promoted config."""
    query: Any = (
        select(AgentRow, AgentConfigVersionRow)
        .join(
            AgentConfigVersionRow,
            (AgentConfigVersionRow.agent_id == AgentRow.id)
            & (AgentConfigVersionRow.version == AgentRow.promoted_version),
        )
        .where(AgentRow.workspace_id == ctx.workspace_id)
    )
    if status is not None:
        query = query.where(AgentRow.status == status)
    if origin is not None:
        query = query.where(AgentRow.origin == origin)
    sortable = {"name": AgentRow.name, "created_at": AgentRow.created_at, "updated_at": AgentRow.updated_at}
    found = await paginate(
        ctx.session, query, page, sortable=sortable, default_sort="created_at", tie_break=AgentRow.id
    )
    depends = await edges(ctx, [row[0].id for row in found.results])
    served = [ServedAgent(to_agent(row[0], depends.get(row[0].id, ())), to_version(row[1])) for row in found.results]
    return Page(served, found.total, found.limit, found.offset)


async def active_names(ctx: Context) -> dict[str, tuple[str, str]]:
    """Id → (name, slug) of the active agents of the caller's workspace."""
    rows = await ctx.session.execute(
        select(AgentRow.id, AgentRow.name, AgentRow.slug).where(
            AgentRow.workspace_id == ctx.workspace_id, AgentRow.status == AgentStatus.ACTIVE
        )
    )
    return {agent_id: (name, slug) for agent_id, name, slug in rows.all()}


@dataclass(frozen=True, slots=True)
class Known:
    """Whom the caller's workspace knows, archived agents too: ids, every word that names one, how many are inferred."""

    ids: frozenset[str]
    names: frozenset[str]
    inferred: int


async def known(ctx: Context) -> Known:
    """The agents' names, slugs and the words they are matched by."""
    query = select(AgentRow.id, AgentRow.name, AgentRow.slug, AgentRow.match, AgentRow.origin)
    rows = (await ctx.session.execute(query.where(AgentRow.workspace_id == ctx.workspace_id))).all()
    words = {
        word for _, name, slug, match, _ in rows for word in (name, slug, *match.values()) if isinstance(word, str)
    }
    inferred = sum(origin == AgentOrigin.INFERRED for *_, origin in rows)
    return Known(frozenset(row[0] for row in rows), frozenset(words), inferred)


async def edges(ctx: Context, agent_ids: Iterable[str] | None = None) -> dict[str, list[str]]:
    """What each agent (of those named, else of the caller's workspace) depends on."""
    query = (
        select(AgentDependencyRow.agent_id, AgentDependencyRow.depends_on_id)
        .where(AgentDependencyRow.workspace_id == ctx.workspace_id)
        .order_by(AgentDependencyRow.agent_id, AgentDependencyRow.depends_on_id)
    )
    if agent_ids is not None:
        query = query.where(AgentDependencyRow.agent_id.in_(list(agent_ids)))
    found: dict[str, list[str]] = {}
    for agent_id, depends_on_id in (await ctx.session.execute(query)).all():
        found.setdefault(agent_id, []).append(depends_on_id)
    return found


async def set_dependencies(ctx: Context, agent_id: str, depends_on: Iterable[str]) -> None:
    """Replace what an agent depends on."""
    await ctx.session.execute(
        delete(AgentDependencyRow)
        .where(AgentDependencyRow.agent_id == agent_id, AgentDependencyRow.workspace_id == ctx.workspace_id)
        .execution_options(synchronize_session=False)
    )
    rows = [
        {
            "account_id": ctx.principal.account_id,
            "workspace_id": ctx.workspace_id,
            "agent_id": agent_id,
            "depends_on_id": other,
        }
        for other in depends_on
    ]
    if rows:
        await ctx.session.execute(insert(AgentDependencyRow), rows)


async def active_dependants(ctx: Context, agent_id: str) -> list[str]:
    """The names of active agents that depend on this one."""
    names = await ctx.session.scalars(
        select(AgentRow.name)
        .join(AgentDependencyRow, AgentDependencyRow.agent_id == AgentRow.id)
        .where(
            AgentDependencyRow.depends_on_id == agent_id,
            AgentRow.workspace_id == ctx.workspace_id,
            AgentRow.status == AgentStatus.ACTIVE,
        )
        .order_by(AgentRow.name)
    )
    return list(names)


async def add_promotion(ctx: Context, agent_id: str, version: int, previous: int | None) -> None:
    """Keep that a version went live."""
    await ctx.session.execute(
        insert(AgentPromotionRow).values(
            id=new_id(),
            account_id=ctx.principal.account_id,
            workspace_id=ctx.workspace_id,
            agent_id=agent_id,
            version=version,
            previous_version=previous,
            promoted_at=ctx.clock.now(),
            promoted_by=ctx.principal.actor_id if ctx.principal.user_id or ctx.principal.key_id else None,
        )
    )


async def promotions(ctx: Context, agent_id: str, limit: int = 100) -> list[Promotion]:
    """When versions of an agent went live, newest first."""
    rows = await ctx.session.scalars(
        select(AgentPromotionRow)
        .where(AgentPromotionRow.agent_id == agent_id, AgentPromotionRow.workspace_id == ctx.workspace_id)
        .order_by(AgentPromotionRow.promoted_at.desc(), AgentPromotionRow.id.desc())
        .limit(limit)
    )
    return [Promotion(row.version, row.previous_version, row.promoted_at, row.promoted_by) for row in rows]


async def count_by_status(ctx: Context) -> dict[str, int]:
    """How many agents of the caller's workspace are in each status."""
    rows = await ctx.session.execute(
        select(AgentRow.status, func.count()).where(AgentRow.workspace_id == ctx.workspace_id).group_by(AgentRow.status)
    )
    return {row[0]: row[1] for row in rows}


async def count_with_candidates(ctx: Context) -> int:
    """How many active agents have versions that were made after the promoted one."""
    count = await ctx.session.scalar(
        select(func.count())
        .select_from(AgentRow)
        .where(
            AgentRow.workspace_id == ctx.workspace_id,
            AgentRow.status == AgentStatus.ACTIVE.value,
            AgentRow.latest_version > AgentRow.promoted_version,
        )
    )
    return count or 0
