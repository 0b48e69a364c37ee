"""The configs of an agent: propose a version, compare, promote, go back. Versions are never changed or removed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.identity import audit
from specloop.run.agents import edits as differ
from specloop.run.agents.config import check_config, check_document, check_json
from specloop.run.agents.edits import Edit
from specloop.run.agents.errors import AgentArchived, AlreadyPromoted, VersionNotFound
from specloop.run.agents.model import Agent, AgentConfigVersion, VersionSource
from specloop.run.agents.repository import agents, versions
from specloop.run.agents.service.registry import VersionCheck, find, find_active, new_version
from specloop.run.agents.service.runtimes import is_closed, search_space


def etag_of(number: int, config_hash: str) -> str:
    """The entity tag of a config representation: its version and the head of its hash."""
    return f"{number}-{config_hash[:16]}"


async def write_config(
    ctx: Context, agent_id: str, config: dict[str, Any], note: str, check: VersionCheck
) -> AgentConfigVersion:
    """A new version with a config made by hand; it is not promoted.

    Raises: AgentNotFound, AgentArchived, ValidationFailed, PreconditionFailed against the promoted config's tag.
    """
    check_json(config)
    agent = await find_active(ctx, agent_id)
    promoted = await _get(ctx, agent_id, agent.promoted_version)
    check(etag_of(promoted.version, promoted.config_hash))
    return await add_version(ctx, agent, config, source=VersionSource.MANUAL, note=note)


async def add_version(
    ctx: Context,
    agent: Agent,
    config: dict[str, Any],
    *,
    source: VersionSource,
    parent: int | None = None,
    changeset_id: str | None = None,
    note: str = "",
) -> AgentConfigVersion:
    """Check a config against the agent's search space and store it as the next version.

    `agent` must be held (`find_active`), so that two versions never get one number.
    Raises: ValidationFailed.
    """
    check_document(config)
    components = search_space(agent.runtime, config, agent.components if agent.has_declared_components else None)
    closed = is_closed(agent.runtime, has_declared=agent.has_declared_components)
    check_config(config, components, is_closed=closed)
    version = new_version(
        ctx,
        agent,
        config,
        source=source,
        number=agent.latest_version + 1,
        parent=agent.promoted_version if parent is None else parent,
        changeset_id=changeset_id,
        note=note,
    )
    await versions.add(ctx, version)
    await agents.change(ctx, agent.id, {"latest_version": version.version})
    detail = {"version": version.version, "source": source.value, "changeset_id": changeset_id}
    await audit.record(ctx, "agent.version_added", "agent", agent.id, detail)
    return version


async def apply_edits(
    ctx: Context,
    agent_id: str,
    edits: Sequence[Edit],
    *,
    source: VersionSource,
    changeset_id: str | None = None,
    base_version: int | None = None,
    note: str = "",
) -> AgentConfigVersion:
    """A new version: the base (default: the promoted version) with the edits made; it is not promoted.

    Raises: AgentNotFound, AgentArchived, VersionNotFound, ValidationFailed; EditFailed when an edit's `before` is not
    what the base holds.
    """
    agent = await find_active(ctx, agent_id)
    base = await _get(ctx, agent_id, base_version or agent.promoted_version)
    config: dict[str, Any] = differ.apply_checked(edits, base.config)
    return await add_version(
        ctx, agent, config, source=source, parent=base.version, changeset_id=changeset_id, note=note
    )


async def restore(
    ctx: Context, agent_id: str, number: int, *, changeset_id: str | None = None, note: str = ""
) -> AgentConfigVersion:
    """A new version equal to an old one, promoted: history is append-only (spectral.md §1.4 rule 10).

    Raises: AgentNotFound, AgentArchived, VersionNotFound.
    """
    agent = await find_active(ctx, agent_id)
    old = await _get(ctx, agent_id, number)
    version = await add_version(
        ctx, agent, old.config, source=VersionSource.ROLLBACK, changeset_id=changeset_id, note=note
    )
    await promote(ctx, agent_id, version.version)
    return version


async def promote(ctx: Context, agent_id: str, number: int) -> Agent:
    """Make a version the one that is served, from the next call on. The caller must hold approve:agents.

    Raises: AgentNotFound, AgentArchived, AlreadyPromoted, VersionNotFound.
    """
    agent = await find(ctx, agent_id, is_locked=True)
    if not agent.is_active:
        raise AgentArchived("the agent is archived, so nothing can be promoted")
    version = await _get(ctx, agent_id, number)
    if agent.promoted_version == number:
        raise AlreadyPromoted
    declared = agent.components if agent.has_declared_components else None
    components = search_space(agent.runtime, version.config, declared)
    values = {
        "promoted_version": number,
        "components": [component.as_document() for component in components],
    }
    await agents.change(ctx, agent_id, values)
    await agents.add_promotion(ctx, agent_id, number, agent.promoted_version)
    detail = {"version": number, "previous": agent.promoted_version, "config_hash": version.config_hash}
    await audit.record(ctx, "agent.promoted", "agent", agent_id, detail)
    return await find(ctx, agent_id)


async def list_versions(
    ctx: Context, agent_id: str, source: VersionSource | None, page: PageRequest
) -> tuple[Agent, Page[AgentConfigVersion]]:
    """The agent and a page of its versions.

    Raises: AgentNotFound.
    """
    agent = await find(ctx, agent_id)
    return agent, await versions.list_versions(ctx, agent_id, source, page)


async def read_version(ctx: Context, agent_id: str, number: int) -> tuple[Agent, AgentConfigVersion]:
    """The agent and one of its versions.

    Raises: AgentNotFound, VersionNotFound.
    """
    agent = await find(ctx, agent_id)
    return agent, await _get(ctx, agent_id, number)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, the edits that lead from one to the other, and the same as a text."""

    before: AgentConfigVersion
    after: AgentConfigVersion
    edits: list[Edit]
    text: str


async def compare(ctx: Context, agent_id: str, before: int | None, after: int | None) -> Comparison:
    """The difference between two versions; by default from the promoted to the newest.

    Raises: AgentNotFound, VersionNotFound.
    """
    agent = await find(ctx, agent_id)
    old = await _get(ctx, agent_id, agent.promoted_version if before is None else before)
    new = await _get(ctx, agent_id, agent.latest_version if after is None else after)
    text = differ.unified(
        differ.pretty(old.config), differ.pretty(new.config), f"version {old.version}", f"version {new.version}"
    )
    return Comparison(old, new, differ.diff(old.config, new.config), text)


async def _get(ctx: Context, agent_id: str, number: int) -> AgentConfigVersion:
    version = await versions.get(ctx, agent_id, number)
    if version is None:
        raise VersionNotFound(f"the agent has no version {number}")
    return version
