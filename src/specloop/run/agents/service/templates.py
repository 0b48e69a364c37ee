"""Managed templates: partial configs that agents share, and what happens to followers when one changes.

A template never changes what an agent serves: followers get a new config version, which somebody with approve:agents
promotes. Otherwise whoever may edit a template could change live agents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.errors import ValidationFailed
from specloop.identity import audit, workspaces
from specloop.kit.ids import new_id
from specloop.run.agents.config import check_document, config_hash, overlay
from specloop.run.agents.errors import NameTaken, TemplateDoesNotFit, TemplateFollowed, TemplateNotFound
from specloop.run.agents.model import (
    Agent,
    AgentConfigVersion,
    ManagedTemplate,
    TemplateMode,
    TemplateVersion,
    VersionSource,
)
from specloop.run.agents.repository import agents, templates, versions
from specloop.run.agents.service.registry import ServedAgent, VersionCheck, find_active, read
from specloop.run.agents.service.versions import add_version


async def create(
    ctx: Context, name: str, description: str | None, config: dict[str, Any]
) -> tuple[ManagedTemplate, TemplateVersion]:
    """A new template at version 1.

    Raises: ValidationFailed, NameTaken, WorkspaceArchived.
    """
    check_document(config)
    await workspaces.current_active(ctx)
    await _check_name(ctx, name, None)
    now = ctx.clock.now()
    template = ManagedTemplate(new_id(), name, description, 1, 0, 1, now, now, ctx.principal.user_id)
    await templates.add(ctx, template)
    state = await _add_state(ctx, template.id, 1, config, "")
    await audit.record(ctx, "template.created", "template", template.id, {"name": name})
    return template, state


async def list_templates(ctx: Context, page: PageRequest) -> Page[ManagedTemplate]:
    """The templates of the caller's workspace."""
    return await templates.list_templates(ctx, page)


async def read_template(ctx: Context, template_id: str) -> tuple[ManagedTemplate, TemplateVersion]:
    """A template with its newest state.

    Raises: TemplateNotFound.
    """
    template = await _find(ctx, template_id)
    return template, await _state(ctx, template)


async def list_versions(ctx: Context, template_id: str, page: PageRequest) -> Page[TemplateVersion]:
    """The states of a template.

    Raises: TemplateNotFound.
    """
    await _find(ctx, template_id)
    return await templates.list_versions(ctx, template_id, page)


async def change(
    ctx: Context, template_id: str, changes: Mapping[str, Any], check: VersionCheck
) -> tuple[ManagedTemplate, TemplateVersion]:
    """Change `name` or `description`; a `config` (with `note`) makes the next state and a version in each follower.

    Raises: TemplateNotFound, NameTaken, ValidationFailed, TemplateDoesNotFit, PreconditionFailed.
    """
    config: dict[str, Any] | None = changes.get("config")
    if config is not None:
        check_document(config)
    await workspaces.current_active(ctx)
    template = await _find(ctx, template_id, is_locked=True)
    check(template.version)
    values = {name: changes[name] for name in ("name", "description") if name in changes}
    if "name" in values:
        await _check_name(ctx, values["name"], template_id)
    if config is not None:
        number = template.latest_version + 1
        state = await _add_state(ctx, template_id, number, config, changes.get("note", ""))
        values["latest_version"] = number
        for agent_id in await templates.follower_ids(ctx, template_id):
            await _lay_over(ctx, await find_active(ctx, agent_id), state)
    if values:
        await templates.change(ctx, template_id, values)
        await audit.record(ctx, "template.updated", "template", template_id, {"changed": sorted(values)})
    return await read_template(ctx, template_id)


async def remove(ctx: Context, template_id: str, check: VersionCheck) -> None:
    """Delete a template; agents pinned to it keep their configs.

    Raises: TemplateNotFound, TemplateFollowed, PreconditionFailed.
    """
    await workspaces.current_active(ctx)
    template = await _find(ctx, template_id, is_locked=True)
    check(template.version)
    if template.followers:
        raise TemplateFollowed
    await templates.remove(ctx, template_id)
    await audit.record(ctx, "template.deleted", "template", template_id, {"name": template.name})


async def bind(ctx: Context, agent_id: str, template_id: str | None, mode: TemplateMode) -> ServedAgent:
    """Bind an agent to a template (None unbinds); the template's config, laid over, becomes an unpromoted version.

    Raises: AgentNotFound, AgentArchived, TemplateNotFound, TemplateDoesNotFit.
    """
    await workspaces.current_active(ctx)
    agent = await find_active(ctx, agent_id)
    values: dict[str, Any] = {"template_id": None, "template_mode": None, "template_version": None}
    if template_id is not None:
        template = await _find(ctx, template_id, is_locked=True)
        await _lay_over(ctx, agent, await _state(ctx, template))
        values = {
            "template_id": template.id,
            "template_mode": mode.value,
            "template_version": template.latest_version,
        }
    await agents.change(ctx, agent_id, values)
    detail = {"template_id": template_id, "mode": mode.value}
    await audit.record(ctx, "agent.bound" if template_id else "agent.unbound", "agent", agent_id, detail)
    return await read(ctx, agent_id)


async def _lay_over(ctx: Context, agent: Agent, state: TemplateVersion) -> AgentConfigVersion | None:
    """The agent's promoted config under the template's; None when that changes nothing."""
    promoted = await versions.get(ctx, agent.id, agent.promoted_version)
    base = promoted.config if promoted is not None else {}
    config = overlay(base, state.config)
    made = None
    if config_hash(config) != config_hash(base):
        try:
            note = f"template version {state.version}"
            made = await add_version(ctx, agent, config, source=VersionSource.TEMPLATE, note=note)
        except ValidationFailed as error:
            raise TemplateDoesNotFit(f"agent '{agent.name}': {error.detail}") from error
    await agents.change(ctx, agent.id, {"template_version": state.version})
    return made


async def _find(ctx: Context, template_id: str, *, is_locked: bool = False) -> ManagedTemplate:
    template = await templates.get(ctx, template_id, is_locked=is_locked)
    if template is None:
        raise TemplateNotFound
    return template


async def _state(ctx: Context, template: ManagedTemplate) -> TemplateVersion:
    state = await templates.get_version(ctx, template.id, template.latest_version)
    if state is None:
        raise TemplateNotFound
    return state


async def _add_state(ctx: Context, template_id: str, number: int, config: dict[str, Any], note: str) -> TemplateVersion:
    state = TemplateVersion(
        template_id, number, config, config_hash(config), note, ctx.clock.now(), ctx.principal.user_id
    )
    await templates.add_version(ctx, state)
    return state


async def _check_name(ctx: Context, name: str, own_id: str | None) -> None:
    if await templates.id_of_name(ctx, name) not in (None, own_id):
        raise NameTaken(f"another template of this workspace is called '{name}'")
