"""Config versions, their differences, and runs on the wire."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from specloop.run.agents.edits import Edit, unified
from specloop.run.agents.model import Agent, AgentConfigVersion, VersionSource
from specloop.run.agents.schema.agents import ConfigDocument
from specloop.run.agents.service.running import RunResult
from specloop.run.agents.service.versions import Comparison
from specloop.transport.schema import Input, Moment, Output

Note = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]


class ConfigPut(Input):
    """A new config as a whole; it becomes the next version and is not promoted."""

    config: ConfigDocument
    note: Note = ""


class ServedConfigBody(Output):
    """A config as a running agent gets it."""

    agent_id: str
    version: int
    config_hash: str
    etag: str
    config: dict[str, Any]


class VersionBody(Output):
    """A config version; it never changes."""

    agent_id: str
    version: int
    parent_version: int | None
    config_hash: str
    source: VersionSource
    changeset_id: str | None
    note: str
    is_promoted: bool
    created_at: Moment
    created_by: str | None
    config: dict[str, Any]


def render_version(version: AgentConfigVersion, agent: Agent) -> dict[str, Any]:
    """The members of `VersionBody`."""
    return {
        "agent_id": version.agent_id,
        "version": version.version,
        "parent_version": version.parent_version,
        "config_hash": version.config_hash,
        "source": version.source,
        "changeset_id": version.changeset_id,
        "note": version.note,
        "is_promoted": version.version == agent.promoted_version,
        "created_at": version.created_at,
        "created_by": version.created_by,
        "config": version.config,
    }


class EditBody(Output):
    """One edit at a JSON pointer; `diff` is a unified diff where a text was replaced by a text."""

    pointer: str
    op: Literal["replace", "add", "remove"]
    before: Any = None
    after: Any = None
    diff: str | None = None


def render_edit(edit: Edit) -> dict[str, Any]:
    """The members of `EditBody`."""
    is_text = isinstance(edit.before, str) and isinstance(edit.after, str)
    text = unified(edit.before, edit.after, "before", "after") if is_text else None
    return {"pointer": edit.pointer, "op": edit.op, "before": edit.before, "after": edit.after, "diff": text}


class DiffBody(Output):
    """Two versions compared: edits in an order in which they can be applied, and one text for people."""

    agent_id: str
    from_version: int = Field(serialization_alias="from", validation_alias="from")
    to_version: int = Field(serialization_alias="to", validation_alias="to")
    from_hash: str
    to_hash: str
    text: str
    edits: list[EditBody]


def render_diff(comparison: Comparison) -> dict[str, Any]:
    """The members of `DiffBody`."""
    return {
        "agent_id": comparison.before.agent_id,
        "from": comparison.before.version,
        "to": comparison.after.version,
        "from_hash": comparison.before.config_hash,
        "to_hash": comparison.after.config_hash,
        "text": comparison.text,
        "edits": [render_edit(edit) for edit in comparison.edits],
    }


class PromoteBody(Input):
    """The version to serve from now on."""

    version: VersionNumber


class RunBody(Input):
    """One input for the agent; `version` left out runs the promoted config."""

    input: dict[str, Any]
    version: VersionNumber | None = None


class RunAnswer(Output):
    """What a run produced; `error` names the failure class when there is no answer."""

    agent_id: str
    version: int
    config_hash: str
    trace_id: str | None
    latency_ms: float
    tokens_in: int
    tokens_out: int
    micro_usd: int
    error: str | None
    output: Any
    detail: dict[str, Any]


def render_run(result: RunResult) -> dict[str, Any]:
    """The members of `RunAnswer`."""
    output = result.output
    return {
        "agent_id": result.served.agent.id,
        "version": result.served.config.version,
        "config_hash": result.served.config.config_hash,
        "trace_id": result.trace_id,
        "latency_ms": round(result.latency_ms, 3),
        "tokens_in": output.tokens_in,
        "tokens_out": output.tokens_out,
        "micro_usd": output.micro_usd,
        "error": output.error,
        "output": output.value,
        "detail": dict(output.detail),
    }
