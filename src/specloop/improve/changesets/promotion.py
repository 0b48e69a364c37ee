"""What decisions do to agents: candidates from edits, new promoted versions, the way back, templates.

The only file of this domain that knows how agents keep their configs.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from specloop.db.context import Context
from specloop.improve.changesets.model import Edit, value_at
from specloop.run import agents
from specloop.run.agents.service import templates


@dataclass(frozen=True, slots=True)
class Base:
    """What an agent serves now."""

    agent: agents.Agent
    version: int
    config: dict[str, Any]
    config_hash: str


async def promoted(ctx: Context, agent_id: str) -> Base:
    """An agent with the config that it serves.

    Raises: AgentNotFound.
    """
    served = await agents.read(ctx, agent_id)
    return Base(served.agent, served.config.version, served.config.config, served.config.config_hash)


async def at_version(ctx: Context, agent_id: str, number: int) -> Base:
    """An agent with one of its versions.

    Raises: AgentNotFound, VersionNotFound.
    """
    agent, config = await agents.read_version(ctx, agent_id, number)
    return Base(agent, config.version, config.config, config.config_hash)


def edited(config: dict[str, Any], edits: Sequence[Edit]) -> dict[str, Any]:
    """The config with the edits of one agent made.

    Raises: EditFailed when an edit leads nowhere.
    """
    result: dict[str, Any] = agents.apply([_plain(edit) for edit in edits], config)
    return result


def hash_of(config: dict[str, Any]) -> str:
    """The config's hash, as agents compute it."""
    return agents.config_hash(config)


async def promote_edits(ctx: Context, agent_id: str, edits: Sequence[Edit], changeset_id: str, note: str) -> int:
    """A new version of the agent with the edits made, promoted; returns its number.

    Raises: AgentArchived, ValidationFailed when a bound is broken, EditFailed when a place holds another value now.
    """
    made = await agents.apply_edits(
        ctx,
        agent_id,
        [_plain(edit) for edit in edits],
        source=agents.VersionSource.CHANGESET,
        changeset_id=changeset_id,
        note=note,
    )
    await agents.promote(ctx, agent_id, made.version)
    return made.version


async def take_back(ctx: Context, agent_id: str, edits: Sequence[Edit], changeset_id: str, note: str) -> int:
    """A new promoted version in which these places hold what they held before; returns its number."""
    current = await promoted(ctx, agent_id)
    wanted = [edit for edit in map(_restoring(current.config), edits) if edit is not None]
    made = await agents.apply_edits(
        ctx, agent_id, wanted, source=agents.VersionSource.ROLLBACK, changeset_id=changeset_id, note=note
    )
    await agents.promote(ctx, agent_id, made.version)
    return made.version


def _restoring(config: dict[str, Any]) -> Any:
    def restore(edit: Edit) -> agents.Edit | None:
        now = value_at(config, edit.pointer)
        if edit.op == "add":
            return None if now is None else agents.Edit(edit.pointer, "remove", now)
        if now is None:
            return agents.Edit(edit.pointer, "add", None, edit.before)
        return agents.Edit(edit.pointer, "replace", now, edit.before)

    return restore


async def write_into_template(ctx: Context, template_id: str, edits: Sequence[Edit], note: str) -> int:
    """The same edits in a managed template; returns its new version. Followers get a version of their own."""
    _, state = await templates.read_template(ctx, template_id)
    config = copy.deepcopy(state.config)
    for edit in edits:
        _write(config, edit)
    _, made = await templates.change(ctx, template_id, {"config": config, "note": note}, lambda _version: None)
    return made.version


def _write(config: dict[str, Any], edit: Edit) -> None:
    """A template is a partial config, so a place may have to be made; removing from where nothing is does nothing."""
    tokens = [token.replace("~1", "/").replace("~0", "~") for token in edit.pointer.split("/")[1:]]
    place: Any = config
    for token in tokens[:-1]:
        if not isinstance(place, dict):
            return
        place = cast("dict[str, Any]", place).setdefault(token, {})
    if not isinstance(place, dict):
        return
    members = cast("dict[str, Any]", place)
    if edit.op == "remove":
        members.pop(tokens[-1], None)
    else:
        members[tokens[-1]] = copy.deepcopy(edit.after)


def _plain(edit: Edit) -> agents.Edit:
    return agents.Edit(edit.pointer, edit.op, edit.before, edit.after)
