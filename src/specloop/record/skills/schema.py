"""Skills and entitlement on the wire (specstory.md §1.5, §1.6): members of lore answers stand beside `success`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from specloop.transport.schema import Output


class DossierPatch(BaseModel):
    """A verdict on a mined skill."""

    model_config = ConfigDict(extra="ignore")

    action: Literal["approve", "decline"]
    note: Annotated[str, Field(max_length=10_000)] | None = None


class SkillPatch(BaseModel):
    """Whether a skill is installed on the user's machine."""

    model_config = ConfigDict(extra="ignore")

    install_state: Literal["available", "installed"]


class RunsBody(Output):
    """Mining runs, newest first."""

    success: bool
    runs: list[dict[str, Any]]


class SkillsBody(Output):
    """Mined skills."""

    success: bool
    skills: list[dict[str, Any]]


class DossiersBody(Output):
    """Mined skills that wait for a verdict."""

    success: bool
    dossiers: list[dict[str, Any]]


class StartedBody(Output):
    """A mining run that has begun."""

    success: bool
    runId: str  # noqa: N815


class DoneBody(Output):
    """The change was made."""

    success: bool


class Features(Output):
    """What the plan includes; everything, since the server is the user's own."""

    resume: bool = True
    skills: bool = True
    analytics: bool = True
    knowledge_base: bool = True
    work_tracking: bool = True
    governance: bool = True


class Entitlement(Output):
    """The plan and its features."""

    plan: Literal["free", "pro", "team", "enterprise"] = "enterprise"
    features: Features = Features()


class EntitlementBody(Output):
    """The entitlement in SpecStory's envelope."""

    success: bool
    data: Entitlement
