"""What an agent, its immutable config versions and managed templates are. Knows no store and no runtime."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

ComponentType = Literal["text", "number", "enum", "list<text>", "map<text,number>"]


class AgentStatus(StrEnum):
    """active → archived; an archived agent is read-only."""

    ACTIVE = "active"
    ARCHIVED = "archived"


class AgentOrigin(StrEnum):
    """Whether somebody declared the agent or its traces gave it away."""

    DECLARED = "declared"
    INFERRED = "inferred"


class VersionSource(StrEnum):
    """What made a config version."""

    MANUAL = "manual"
    CHANGESET = "changeset"
    ROLLBACK = "rollback"
    TEMPLATE = "template"
    INFERRED = "inferred"


class TemplateMode(StrEnum):
    """`follow`: each new template version gives the agent a new, unpromoted config version. `pinned`: it does not."""

    FOLLOW = "follow"
    PINNED = "pinned"


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """One searchable part of the config object: a JSON pointer with a declared type (spectral.md §1.1).

    `auto` marks components that bounded autonomy may change. `minimum`, `maximum` and `step` bound numbers and map
    values, `max_entries` lists and maps, `max_chars` texts; None is unbounded.
    """

    name: str
    pointer: str
    type: ComponentType
    mutable: bool = True
    auto: bool = False
    role: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    max_entries: int | None = None
    max_chars: int | None = None

    def as_document(self) -> dict[str, Any]:
        """The JSON form in the table."""
        return {**asdict(self), "choices": list(self.choices)}

    @staticmethod
    def from_document(document: dict[str, Any]) -> ComponentSpec:
        """The component of a stored document."""
        choices: list[str] = document.get("choices") or []
        values: dict[str, Any] = {**document, "choices": tuple(choices)}
        return ComponentSpec(**values)


@dataclass(frozen=True, slots=True)
class Agent:
    """An agent. `version` counts changes of this record and is its ETag; config versions count by themselves."""

    id: str
    account_id: str
    workspace_id: str
    name: str
    slug: str
    role: str | None
    description: str | None
    origin: AgentOrigin
    status: AgentStatus
    runtime: dict[str, Any]
    match: dict[str, Any]
    depends_on: tuple[str, ...]
    template_id: str | None
    template_mode: TemplateMode | None
    template_version: int | None
    promoted_version: int
    latest_version: int
    components: tuple[ComponentSpec, ...]
    has_declared_components: bool
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: str | None

    @property
    def is_active(self) -> bool:
        """Whether the agent can still be changed and run."""
        return self.status is AgentStatus.ACTIVE

    @property
    def candidate_versions(self) -> list[int]:
        """The versions made after the promoted one, oldest first."""
        return list(range(self.promoted_version + 1, self.latest_version + 1))


@dataclass(frozen=True, slots=True)
class AgentConfigVersion:
    """One immutable config of an agent; `config_hash` is SHA-256 of its canonical JSON."""

    agent_id: str
    version: int
    parent_version: int | None
    config: dict[str, Any]
    config_hash: str
    source: VersionSource
    changeset_id: str | None
    note: str
    created_at: datetime
    created_by: str | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """One time that a version went live."""

    version: int
    previous_version: int | None
    promoted_at: datetime
    promoted_by: str | None


@dataclass(frozen=True, slots=True)
class ServedAgent:
    """An agent with the config version that is asked for, the promoted one as a rule."""

    agent: Agent
    config: AgentConfigVersion


@dataclass(frozen=True, slots=True)
class ManagedTemplate:
    """A partial config object that agents share; `version` is its ETag."""

    id: str
    name: str
    description: str | None
    latest_version: int
    followers: int
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: str | None


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """One immutable state of a template's partial config."""

    template_id: str
    version: int
    config: dict[str, Any]
    config_hash: str
    note: str
    created_at: datetime
    created_by: str | None
