"""Declare agents, look at them, change what they are, archive them. Their configs are in `versions`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit, workspaces
from specloop.kit.ids import new_id, parse_uuid
from specloop.run.agents import graph, naming
from specloop.run.agents.config import check_components, check_config, check_document, check_json, config_hash, overlay
from specloop.run.agents.errors import (
    AgentArchived,
    AgentNotFound,
    DependencyCycle,
    HasDependants,
    NameTaken,
    TemplateNotFound,
    UnknownDependency,
    VersionNotFound,
)
from specloop.run.agents.model import (
    Agent,
    AgentConfigVersion,
    AgentOrigin,
    AgentStatus,
    ComponentSpec,
    ServedAgent,
    TemplateMode,
    VersionSource,
)
from specloop.run.agents.repository import agents, templates, versions
from specloop.run.agents.service.runtimes import check_runtime, is_closed, search_space

VersionCheck = Callable[[str | int], None]
"""Raises PreconditionFailed when the caller's change was based on another version than the given one."""


@dataclass(frozen=True, slots=True)
class NewAgent:
    """What a caller declares. `components` None leaves the search space to the runtime and the config."""

    name: str
    runtime: dict[str, Any]
    config: dict[str, Any]
    role: str | None = None
    description: str | None = None
    slug: str | None = None
    match: dict[str, Any] = field(default_factory=dict[str, Any])
    depends_on: Sequence[str] = ()
    components: tuple[ComponentSpec, ...] | None = None
    template_id: str | None = None
    template_mode: TemplateMode = TemplateMode.FOLLOW
    origin: AgentOrigin = AgentOrigin.DECLARED


async def create(ctx: Context, wanted: NewAgent) -> ServedAgent:
    """A new agent with its config as version 1, promoted.

    Raises: ValidationFailed, NameTaken, UnknownDependency, TemplateNotFound, WorkspaceArchived.
    """
    check_runtime(wanted.runtime)
    check_json(wanted.match, ("body", "match"))
    check_json(wanted.config)
    template_version, config = await _on_template(ctx, wanted)
    check_document(config)
    components = search_space(wanted.runtime, config, wanted.components)
    check_components(components)
    is_declared = wanted.components is not None
    check_config(config, components, is_closed=is_closed(wanted.runtime, has_declared=is_declared))
    await workspaces.current_active(ctx)  # its lock keeps two agents from taking one name at once
    agent = _new_agent(ctx, wanted, await _free_slug(ctx, wanted), components, template_version)
    await agents.add(ctx, agent)
    await _check_dependencies(ctx, agent.id, agent.depends_on)
    await agents.set_dependencies(ctx, agent.id, agent.depends_on)
    source = VersionSource.INFERRED if wanted.origin is AgentOrigin.INFERRED else VersionSource.MANUAL
    first = new_version(ctx, agent, config, source=source)
    await versions.add(ctx, first)
    await agents.add_promotion(ctx, agent.id, 1, None)
    await audit.record(ctx, "agent.created", "agent", agent.id, {"name": agent.name})
    return ServedAgent(agent, first)


async def _on_template(ctx: Context, wanted: NewAgent) -> tuple[int | None, dict[str, Any]]:
    if wanted.template_id is None:
        return None, wanted.config
    template = await templates.get(ctx, wanted.template_id)
    if template is None:
        raise TemplateNotFound
    state = await templates.get_version(ctx, template.id, template.latest_version)
    if state is None:
        raise TemplateNotFound
    return state.version, overlay(state.config, wanted.config)


def _new_agent(
    ctx: Context, wanted: NewAgent, slug: str, components: tuple[ComponentSpec, ...], template_version: int | None
) -> Agent:
    now = ctx.clock.now()
    return Agent(
        id=new_id(),
        account_id=ctx.principal.account_id,
        workspace_id=ctx.workspace_id,
        name=wanted.name,
        slug=slug,
        role=wanted.role,
        description=wanted.description,
        origin=wanted.origin,
        status=AgentStatus.ACTIVE,
        runtime=wanted.runtime,
        match=wanted.match,
        depends_on=tuple(sorted(set(wanted.depends_on))),
        template_id=wanted.template_id,
        template_mode=None if wanted.template_id is None else wanted.template_mode,
        template_version=template_version,
        promoted_version=1,
        latest_version=1,
        components=components,
        has_declared_components=wanted.components is not None,
        version=1,
        created_at=now,
        updated_at=now,
        created_by=ctx.principal.user_id,
    )


def new_version(
    ctx: Context,
    agent: Agent,
    config: dict[str, Any],
    *,
    source: VersionSource,
    number: int = 1,
    parent: int | None = None,
    changeset_id: str | None = None,
    note: str = "",
) -> AgentConfigVersion:
    """A config version of an agent, not stored yet."""
    return AgentConfigVersion(
        agent_id=agent.id,
        version=number,
        parent_version=parent,
        config=config,
        config_hash=config_hash(config),
        source=source,
        changeset_id=changeset_id,
        note=note,
        created_at=ctx.clock.now(),
        created_by=ctx.principal.user_id,
    )


async def _free_slug(ctx: Context, wanted: NewAgent) -> str:
    taken = await agents.active_names(ctx)
    if any(name == wanted.name for name, _ in taken.values()):
        raise NameTaken(f"another agent of this workspace is called '{wanted.name}'")
    slugs = {slug for _, slug in taken.values()}
    if wanted.slug is None:
        return naming.free_slug(wanted.name, slugs)
    if wanted.slug in slugs:
        raise NameTaken(f"another agent of this workspace has the slug '{wanted.slug}'")
    return wanted.slug


async def _check_dependencies(ctx: Context, agent_id: str, depends_on: Sequence[str]) -> None:
    """The caller holds the workspace's lock, so that two agents cannot close a circle from both sides."""
    known = await agents.active_names(ctx)
    for other in depends_on:
        if other not in known:
            raise UnknownDependency(f"depends_on: {other} is no active agent of this workspace")
    if graph.closes_a_cycle(await agents.edges(ctx), agent_id, depends_on):
        raise DependencyCycle


async def list_agents(
    ctx: Context, status: AgentStatus | None, origin: AgentOrigin | None, page: PageRequest
) -> Page[ServedAgent]:
    """The agents of the caller's workspace with their promoted configs."""
    return await agents.list_served(ctx, status, origin, page)


async def read(ctx: Context, agent_id: str) -> ServedAgent:
    """An agent with its promoted config.

    Raises: AgentNotFound.
    """
    agent = await find(ctx, agent_id)
    config = await versions.get(ctx, agent_id, agent.promoted_version)
    if config is None:
        raise VersionNotFound
    return ServedAgent(agent, config)


async def find(ctx: Context, agent_id: str, *, is_locked: bool = False) -> Agent:
    """An agent of the caller's workspace; with `is_locked` nobody else changes it before this transaction ends.

    Raises: AgentNotFound.
    """
    agent = await agents.get(ctx, agent_id, is_locked=is_locked)
    if agent is None:
        raise AgentNotFound
    return agent


async def words_of(ctx: Context, agent_id: str) -> list[str]:
    """By what spans may call an agent: its name, its slug and what its rules match; nothing for an unknown one.

    They are the words by which `AgentDiscovery` knows an agent again.
    """
    agent = await agents.get(ctx, agent_id) if parse_uuid(agent_id) is not None else None
    words = () if agent is None else (agent.name, agent.slug, *agent.match.values())
    return [word for word in words if isinstance(word, str) and word]


async def find_active(ctx: Context, agent_id: str) -> Agent:
    """An agent held for a change.

    Raises: AgentNotFound, AgentArchived.
    """
    agent = await find(ctx, agent_id, is_locked=True)
    if not agent.is_active:
        raise AgentArchived
    return agent


@dataclass(frozen=True, slots=True)
class AgentChanges:
    """What to change; members that are not in `given` stay as they are."""

    given: frozenset[str]
    name: str = ""
    role: str | None = None
    description: str | None = None
    runtime: dict[str, Any] = field(default_factory=dict[str, Any])
    match: dict[str, Any] = field(default_factory=dict[str, Any])
    depends_on: Sequence[str] = ()
    components: tuple[ComponentSpec, ...] | None = None


async def change(ctx: Context, agent_id: str, changes: AgentChanges, check: VersionCheck) -> ServedAgent:
    """Change what an agent is; its configs stay, so a new runtime or search space must fit the promoted one.

    Raises: AgentNotFound, AgentArchived, ValidationFailed, NameTaken, DependencyCycle, PreconditionFailed.
    """
    if "runtime" in changes.given:
        check_runtime(changes.runtime)
    if "match" in changes.given:
        check_json(changes.match, ("body", "match"))
    await workspaces.current_active(ctx)
    agent = await find_active(ctx, agent_id)
    check(agent.version)
    values: dict[str, Any] = {
        name: getattr(changes, name) for name in ("name", "role", "description", "match") if name in changes.given
    }
    if "name" in changes.given:
        await _check_name(ctx, agent_id, changes.name)
    if changes.given & {"runtime", "components"}:
        values |= await _new_space(ctx, agent, changes)
    if "depends_on" in changes.given:
        wanted = sorted(set(changes.depends_on))
        await _check_dependencies(ctx, agent_id, wanted)
        await agents.set_dependencies(ctx, agent_id, wanted)
    if changes.given:
        await agents.change(ctx, agent_id, values)
        await audit.record(ctx, "agent.updated", "agent", agent_id, {"changed": sorted(changes.given)})
    return await read(ctx, agent_id)


async def _check_name(ctx: Context, agent_id: str, wanted: str) -> None:
    for other, (name, _) in (await agents.active_names(ctx)).items():
        if name == wanted and other != agent_id:
            raise NameTaken(f"another agent of this workspace is called '{wanted}'")


async def _new_space(ctx: Context, agent: Agent, changes: AgentChanges) -> dict[str, Any]:
    runtime = changes.runtime if "runtime" in changes.given else agent.runtime
    declared = agent.components if agent.has_declared_components else None
    if "components" in changes.given:
        declared = changes.components
    current = await versions.get(ctx, agent.id, agent.promoted_version)
    config = current.config if current is not None else {}
    components = search_space(runtime, config, declared)
    check_components(components)
    has_declared = declared is not None
    check_config(config, components, is_closed=is_closed(runtime, has_declared=has_declared))
    return {
        "runtime": runtime,
        "components": [component.as_document() for component in components],
        "has_declared_components": has_declared,
    }


async def archive(ctx: Context, agent_id: str, check: VersionCheck) -> Agent:
    """Take an agent out of use; its versions stay readable.

    Raises: AgentNotFound, AgentArchived when it is already, HasDependants, PreconditionFailed.
    """
    await workspaces.current_active(ctx)
    agent = await find(ctx, agent_id, is_locked=True)
    check(agent.version)
    if not agent.is_active:
        raise AgentArchived("the agent is already archived")
    dependants = await agents.active_dependants(ctx, agent_id)
    if dependants:
        raise HasDependants(f"these agents depend on it: {', '.join(dependants)}")
    await agents.change(ctx, agent_id, {"status": AgentStatus.ARCHIVED.value})
    await audit.record(ctx, "agent.archived", "agent", agent_id, {"name": agent.name})
    return replace(agent, status=AgentStatus.ARCHIVED)
