"""Agents, their components and their performance card on the wire."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from specloop.run.agents.model import (
    Agent,
    AgentOrigin,
    AgentStatus,
    ComponentSpec,
    ComponentType,
    ServedAgent,
    TemplateMode,
)
from specloop.run.agents.service.card import Card
from specloop.run.agents.service.registry import AgentChanges, NewAgent
from specloop.transport.schema import Input, LongText, Moment, Name, Output

UUID = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Slug = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Pointer = Annotated[str, StringConstraints(min_length=2, max_length=300, pattern=r"^(/([^~/\x00]|~[01])+)+$")]
ConfigDocument = Annotated[dict[str, Any], Field(description="The config object of spectral.md §1.1")]
RuntimeDocument = Annotated[
    dict[str, Any],
    Field(
        description="`kind` external, http, embedded or llm; an embedded one names its runtime",
        examples=[{"kind": "embedded", "name": "tool-router"}],
    ),
]
FiniteNumber = Annotated[float, Field(allow_inf_nan=False)]


class Bounds(Input):
    """What limits a component; a member that is left out does not limit."""

    min: FiniteNumber | None = None
    max: FiniteNumber | None = None
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    choices: list[Name] = Field(default_factory=list[Name], max_length=200)
    max_entries: Annotated[int, Field(ge=0, le=100_000)] | None = None
    max_chars: Annotated[int, Field(ge=0, le=1_000_000)] | None = None


class ComponentBody(Input):
    """One searchable part of the config object; `auto` lets bounded autonomy change it."""

    name: Name
    pointer: Pointer
    type: ComponentType
    mutable: bool = True
    auto: bool = False
    role: str = Field("", max_length=60)
    bounds: Bounds = Field(default_factory=Bounds)

    def to_model(self) -> ComponentSpec:
        """The component as the domain knows it."""
        bounds = self.bounds
        return ComponentSpec(
            name=self.name,
            pointer=self.pointer,
            type=self.type,
            mutable=self.mutable,
            auto=self.auto,
            role=self.role,
            minimum=bounds.min,
            maximum=bounds.max,
            step=bounds.step,
            choices=tuple(bounds.choices),
            max_entries=bounds.max_entries,
            max_chars=bounds.max_chars,
        )


Components = Annotated[list[ComponentBody], Field(max_length=500)]


def render_component(component: ComponentSpec) -> dict[str, Any]:
    """The members of `ComponentBody`; bounds that do not limit are left out."""
    limits = {
        "min": component.minimum,
        "max": component.maximum,
        "step": component.step,
        "choices": list(component.choices) or None,
        "max_entries": component.max_entries,
        "max_chars": component.max_chars,
    }
    return {
        "name": component.name,
        "pointer": component.pointer,
        "type": component.type,
        "mutable": component.mutable,
        "auto": component.auto,
        "role": component.role,
        "bounds": {name: limit for name, limit in limits.items() if limit is not None},
    }


class AgentCreate(Input):
    """A new agent; its config becomes version 1, promoted."""

    name: Name
    runtime: RuntimeDocument
    config: ConfigDocument = Field(default_factory=dict[str, Any])
    role: Annotated[str, StringConstraints(max_length=100)] | None = None
    description: LongText | None = None
    slug: Slug | None = None
    match: dict[str, Any] = Field(default_factory=dict[str, Any], description="Span attributes that show the agent")
    depends_on: list[UUID] = Field(default_factory=list[UUID], max_length=200)
    components: Components | None = Field(None, description="Left out: what the runtime or the config shows")
    template_id: UUID | None = None
    template_mode: TemplateMode = TemplateMode.FOLLOW

    def to_model(self) -> NewAgent:
        """What the caller declares, as the domain knows it."""
        components = None if self.components is None else tuple(one.to_model() for one in self.components)
        return NewAgent(
            name=self.name,
            runtime=self.runtime,
            config=self.config,
            role=self.role,
            description=self.description,
            slug=self.slug,
            match=self.match,
            depends_on=self.depends_on,
            components=components,
            template_id=self.template_id,
            template_mode=self.template_mode,
        )


class AgentPatch(Input):
    """What may be changed; a member that is left out stays."""

    name: Name = ""
    role: Annotated[str, StringConstraints(max_length=100)] | None = None
    description: LongText | None = None
    runtime: RuntimeDocument = Field(default_factory=dict[str, Any])
    match: dict[str, Any] = Field(default_factory=dict[str, Any])
    depends_on: list[UUID] = Field(default_factory=list[UUID], max_length=200)
    components: Components | None = Field(None, description="null goes back to what the runtime or the config shows")

    def to_model(self) -> AgentChanges:
        """The changes as the domain knows them."""
        components = None if self.components is None else tuple(one.to_model() for one in self.components)
        return AgentChanges(
            given=frozenset(self.model_fields_set),
            name=self.name,
            role=self.role,
            description=self.description,
            runtime=self.runtime,
            match=self.match,
            depends_on=self.depends_on,
            components=components,
        )


class AgentBody(Output):
    """An agent with its promoted config. A key sees no candidate versions."""

    id: str
    name: str
    slug: str
    role: str | None
    description: str | None
    origin: AgentOrigin
    status: AgentStatus
    promoted_version: int
    latest_version: int
    config_hash: str
    template_id: str | None
    template_mode: TemplateMode | None
    template_version: int | None
    version: int
    created_at: Moment
    updated_at: Moment
    created_by: str | None
    runtime: dict[str, Any]
    match: dict[str, Any]
    depends_on: list[str]
    candidate_versions: list[int]
    components: list[dict[str, Any]]
    config: dict[str, Any]


def render_agent(served: ServedAgent, *, shows_candidates: bool) -> dict[str, Any]:
    """The members of `AgentBody`."""
    agent = served.agent
    return {
        "id": agent.id,
        "name": agent.name,
        "slug": agent.slug,
        "role": agent.role,
        "description": agent.description,
        "origin": agent.origin,
        "status": agent.status,
        "promoted_version": agent.promoted_version,
        "latest_version": agent.latest_version if shows_candidates else agent.promoted_version,
        "config_hash": served.config.config_hash,
        "template_id": agent.template_id,
        "template_mode": agent.template_mode,
        "template_version": agent.template_version,
        "version": agent.version,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
        "created_by": agent.created_by,
        "runtime": agent.runtime,
        "match": agent.match,
        "depends_on": list(agent.depends_on),
        "candidate_versions": agent.candidate_versions if shows_candidates else [],
        "components": [render_component(component) for component in agent.components],
        "config": served.config.config,
    }


class PromotionBody(Output):
    """One time that a version went live."""

    version: int
    previous_version: int | None
    promoted_at: Moment
    promoted_by: str | None


class CardBody(Output):
    """The performance card; what nobody measured yet is null or empty."""

    agent_id: str
    name: str
    status: AgentStatus
    promoted_version: int
    latest_version: int
    baseline: dict[str, Any] | None
    best: dict[str, Any] | None
    cost: dict[str, Any] | None
    holdout_history: list[dict[str, Any]]
    open_clusters: list[dict[str, Any]]
    promotions: list[PromotionBody]


def render_card(card: Card) -> dict[str, Any]:
    """The members of `CardBody`."""
    agent: Agent = card.agent
    return {
        "agent_id": agent.id,
        "name": agent.name,
        "status": agent.status,
        "promoted_version": agent.promoted_version,
        "latest_version": agent.latest_version,
        "baseline": card.baseline,
        "best": card.best,
        "cost": card.cost,
        "holdout_history": list(card.holdout_history),
        "open_clusters": list(card.open_clusters),
        "promotions": [PromotionBody.model_validate(one) for one in card.promotions],
    }
