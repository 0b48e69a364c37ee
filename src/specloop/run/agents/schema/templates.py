"""Managed templates on the wire."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from specloop.run.agents.model import ManagedTemplate, TemplateMode, TemplateVersion
from specloop.run.agents.schema.agents import UUID, ConfigDocument
from specloop.run.agents.schema.configs import Note
from specloop.transport.schema import Input, LongText, Moment, Name, Output


class TemplateCreate(Input):
    """A new template; `config` is a part of a config object."""

    name: Name
    description: LongText | None = None
    config: ConfigDocument


class TemplatePatch(Input):
    """What may be changed; a `config` makes the next version, and a new config version in each follower."""

    name: Name = ""
    description: LongText | None = None
    config: ConfigDocument = Field(default_factory=dict[str, Any])
    note: Note = ""


class TemplateBody(Output):
    """A template with its newest config in the single view."""

    id: str
    name: str
    description: str | None
    latest_version: int
    followers: int
    version: int
    created_at: Moment
    updated_at: Moment
    created_by: str | None


class TemplateWithConfig(TemplateBody):
    """A template with its newest config."""

    config_hash: str
    config: dict[str, Any]


class TemplateVersionBody(Output):
    """One state of a template; it never changes."""

    template_id: str
    version: int
    config_hash: str
    note: str
    created_at: Moment
    created_by: str | None
    config: dict[str, Any]


def render_template(template: ManagedTemplate) -> dict[str, Any]:
    """The members of `TemplateBody`."""
    return {
        "id": template.id,
        "name": template.name,
        "description": template.description,
        "latest_version": template.latest_version,
        "followers": template.followers,
        "version": template.version,
        "created_at": template.created_at,
        "updated_at": template.updated_at,
        "created_by": template.created_by,
    }


def render_with_config(template: ManagedTemplate, state: TemplateVersion) -> dict[str, Any]:
    """The members of `TemplateWithConfig`."""
    return {**render_template(template), "config_hash": state.config_hash, "config": state.config}


def render_template_version(state: TemplateVersion) -> TemplateVersionBody:
    """One state of a template."""
    return TemplateVersionBody.model_validate(state)


class BindBody(Input):
    """The template to bind to; null unbinds."""

    template_id: UUID | None
    mode: TemplateMode = TemplateMode.FOLLOW
