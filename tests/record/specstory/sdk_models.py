"""What the official SDKs demand of answers (specstory.md §1.0, §1.3, §1.4): strict types, aware datetimes, members that
the documents call optional but the SDKs do not."""

from __future__ import annotations

from typing import Annotated

# ruff: noqa: N815  (the SDKs spell them so)
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictInt, StrictStr


class Model(BaseModel):
    """Unknown members are tolerated, missing ones are not."""

    model_config = ConfigDict(extra="allow")


class Metadata(Model):
    """What a client said of itself."""

    clientName: StrictStr | None = None
    clientVersion: StrictStr | None = None
    agentName: StrictStr | None = None
    deviceId: StrictStr | None = None
    gitBranches: list[StrictStr] | None = None
    llmModels: list[StrictStr] | None = None
    tags: list[StrictStr] | None = None


class Project(Model):
    """A project."""

    id: StrictStr
    ownerId: StrictStr
    name: StrictStr
    icon: StrictStr
    color: StrictStr
    createdAt: AwareDatetime
    updatedAt: AwareDatetime


class SessionSummary(Model):
    """A session in a list."""

    id: StrictStr
    projectId: StrictStr
    name: StrictStr
    markdownSize: StrictInt
    rawDataSize: StrictInt
    createdAt: AwareDatetime
    updatedAt: AwareDatetime
    startedAt: AwareDatetime | None
    endedAt: AwareDatetime | None
    etag: Annotated[str, Field(pattern=r'^W/"[0-9a-f]+-[0-9a-f]+"$')]
    metadata: Metadata


class ProjectLabel(Model):
    """The project of a session."""

    id: StrictStr
    name: StrictStr
    icon: StrictStr
    color: StrictStr


class WholeSession(SessionSummary):
    """A session with its content."""

    markdownContent: StrictStr
    project: ProjectLabel


class DeletedProject(Model):
    """The answer to a deletion."""

    deletedProject: Project
    deletedAt: AwareDatetime
