"""Projects, sessions and exchanges on SpecStory's wire (specstory.md §1.3, §1.4): exact spellings, strings as strings.

Answers are plain dictionaries, because lists of thousands are common; the models say the same for the API document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr
from pydantic.alias_generators import to_camel

from specloop.kit.clock import format_time
from specloop.record.projects import Project, ProjectSummary, is_storable
from specloop.record.sessions.model import Exchange, Session

Data = TypeVar("Data")
_METADATA_TEXTS = ("clientName", "clientVersion", "agentName", "deviceId", "machineName", "title", "summary")
_METADATA_NAMES = frozenset(name.casefold() for name in (*_METADATA_TEXTS, "gitBranches", "llmModels", "tags"))


class Envelope(BaseModel, Generic[Data]):
    """What every answer is wrapped in."""

    success: bool
    data: Data


class Wire(BaseModel):
    """A value on the wire; more members may come."""

    model_config = ConfigDict(extra="allow", alias_generator=to_camel)


class ProjectBody(Wire):
    """A project; `id` is the id in URLs."""

    id: str
    owner_id: str
    name: str
    icon: str
    color: str
    created_at: str
    updated_at: str
    session_count: int
    last_updated: str
    total_markdown_size: int
    aliases: list[str]


class SessionMetadata(Wire):
    """What the client said of itself, with branches and models added from the transcript."""

    client_name: str | None = None
    client_version: str | None = None
    agent_name: str | None = None
    device_id: str | None = None
    machine_name: str | None = None
    title: str | None = None
    summary: str | None = None
    git_branches: list[str]
    llm_models: list[str]
    tags: list[str]


class SessionBody(Wire):
    """A session in a list; sizes are bytes of what was uploaded."""

    id: str
    client_id: str
    session_id: str
    project_id: str
    project_name: str
    name: str
    user_title: str | None
    share_status: str
    markdown_size: int
    raw_data_size: int
    session_data_size: int
    created_at: str
    updated_at: str
    started_at: str | None
    ended_at: str | None
    etag: str
    exchange_count: int
    first_exchange_content: str
    metadata: SessionMetadata


class ExchangeBody(Wire):
    """One user turn and the answer to it."""

    id: str
    session_id: str
    content: str
    order_number: int
    created_at: str
    updated_at: str
    user_title: str | None
    hidden_from_share: bool


class ProjectLabel(Wire):
    """A project, as a session shows it."""

    id: str
    name: str
    icon: str
    color: str


class SessionDetail(SessionBody):
    """One session with its markdown and exchanges."""

    markdown_content: str
    project: ProjectLabel
    exchanges: list[ExchangeBody]


class ProjectList(Wire):
    """Projects."""

    projects: list[ProjectBody]
    total: int


class OneProject(Wire):
    """A project."""

    project: ProjectBody


class DeletedProject(Wire):
    """What was deleted, and when."""

    deleted_project: ProjectBody
    deleted_at: str


class ProjectStats(Wire):
    """Figures of one project."""

    project_id: str
    total_sessions: int
    total_markdown_size: int
    total_raw_data_size: int


class SessionList(Wire):
    """Sessions."""

    sessions: list[SessionBody]
    total: int


class Sizes(Wire):
    """Session id → bytes of markdown; session id with `:sessionData` → bytes of session data."""

    sessions: dict[str, int]


class StoredBody(Wire):
    """What an upload stored."""

    session_id: str
    project_id: str
    created_at: str


class OneSession(Wire):
    """A session."""

    session: SessionBody


class OneDetail(Wire):
    """A session with its content."""

    session: SessionDetail


class Done(Wire):
    """It is done."""

    success: bool


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("must have no NUL and no halves of surrogate pairs")
    return text


class Change(BaseModel):
    """A request body; unknown members are ignored, as the dialect does."""

    model_config = ConfigDict(alias_generator=to_camel)


class ProjectPatch(Change):
    """What to change of a project."""

    name: StrictStr | None = None
    icon: StrictStr | None = None
    color: StrictStr | None = None


class MergeBody(Change):
    """Into which project."""

    into: Annotated[StrictStr, Field(min_length=1, max_length=255), AfterValidator(_storable)]


class SessionPatch(Change):
    """What to change of a session."""

    user_title: StrictStr | None = None
    share_status: StrictStr | None = None


class ExchangePatch(Change):
    """What to change of an exchange."""

    user_title: StrictStr | None = None
    hidden_from_share: StrictBool | None = None


def project_body(summary: ProjectSummary) -> dict[str, Any]:
    """`ProjectBody`."""
    return {
        **bare_project(summary.project),
        "sessionCount": summary.session_count,
        "lastUpdated": format_time(summary.last_activity or summary.project.updated_at),
        "totalMarkdownSize": summary.markdown_size,
        "aliases": list(summary.aliases),
    }


def bare_project(project: Project) -> dict[str, Any]:
    """The documented members of a project."""
    return {
        "id": project.client_id,
        "ownerId": project.owner_id,
        "name": project.name,
        "icon": project.icon,
        "color": project.color,
        "createdAt": format_time(project.created_at),
        "updatedAt": format_time(project.updated_at),
    }


def stats_body(summary: ProjectSummary, models: Sequence[str], branches: Sequence[str]) -> dict[str, Any]:
    """`ProjectStats`."""
    return {
        "projectId": summary.project.client_id,
        "totalSessions": summary.session_count,
        "resumableSessions": summary.resumable_count,
        "totalMarkdownSize": summary.markdown_size,
        "totalRawDataSize": summary.raw_size,
        "lastUpdated": format_time(summary.last_activity or summary.project.updated_at),
        "llmModels": list(models),
        "gitBranches": list(branches),
    }


def session_body(session: Session) -> dict[str, Any]:
    """`SessionBody`: the documented summary, what the CLI decodes, and what the real service adds."""
    return {
        "id": session.id,
        "clientId": session.client_id,
        "sessionId": session.client_id,
        "projectId": session.project.client_id,
        "projectName": session.project.name,
        "name": session.name,
        "userTitle": session.user_title,
        "shareStatus": session.share_status.value,
        "markdownSize": session.markdown_size,
        "rawDataSize": session.raw_size,
        "sessionDataSize": session.data_size or 0,
        "createdAt": format_time(session.created_at),
        "updatedAt": format_time(session.updated_at),
        "startedAt": format_time(session.started_at) if session.started_at else None,
        "endedAt": format_time(session.ended_at) if session.ended_at else None,
        "etag": f'W/"{session.etag}"',
        "exchangeCount": session.figures.exchange_count,
        "firstExchangeContent": session.opening or "",
        "metadata": metadata_body(session),
    }


def metadata_body(session: Session) -> dict[str, Any]:
    """What the client sent, unknown keys included; members that clients decode are of their type or null.

    Go matches keys whatever their case, so another spelling of such a member would be decoded in its place: it is
    left out.
    """
    texts: Mapping[str, str | None] = {
        name: value if isinstance(value := session.metadata.get(name), str) else None for name in _METADATA_TEXTS
    }
    return {
        **{name: value for name, value in session.metadata.items() if name.casefold() not in _METADATA_NAMES},
        **texts,
        "agentName": texts["agentName"] or session.agent_name,
        "gitBranches": list(session.branches),
        "llmModels": list(session.models),
        "tags": list(session.tags),
    }


def recent_body(session: Session) -> dict[str, Any]:
    """A session of a list across projects."""
    return {**session_body(session), "workspaceId": session.project.client_id, "project": project_label(session)}


def project_label(session: Session) -> dict[str, Any]:
    """`ProjectLabel`."""
    project = session.project
    return {"id": project.client_id, "name": project.name, "icon": project.icon, "color": project.color}


def detail_body(session: Session, markdown: bytes, exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """`SessionDetail`."""
    return {
        **session_body(session),
        "markdownContent": markdown.decode("utf-8", "replace"),
        "project": project_label(session),
        "exchanges": [exchange_body(one) for one in exchanges],
    }


def exchange_body(exchange: Exchange) -> dict[str, Any]:
    """`ExchangeBody`."""
    return {
        "id": exchange.id,
        "sessionId": exchange.session_id,
        "content": exchange.text,
        "orderNumber": exchange.order_number,
        "createdAt": format_time(exchange.created_at),
        "updatedAt": format_time(exchange.updated_at),
        "userTitle": exchange.user_title,
        "hiddenFromShare": exchange.is_hidden,
        "metadata": {
            "startedAt": format_time(exchange.started_at) if exchange.started_at else None,
            "endedAt": format_time(exchange.ended_at) if exchange.ended_at else None,
            "hasError": exchange.has_error,
        },
    }


def shared_body(session: Session, author: str, markdown: bytes, exchanges: Sequence[Exchange]) -> dict[str, Any]:
    """What visitors see: no device, no machine, no raw data (specstory.md §1.7)."""
    return {
        "id": session.id,
        "clientId": session.client_id,
        "name": session.name,
        "title": session.display_title,
        "author": author,
        "project": {"name": session.project.name, "icon": session.project.icon, "color": session.project.color},
        "agentName": session.agent_name,
        "llmModels": list(session.models),
        "startedAt": format_time(session.started_at) if session.started_at else None,
        "endedAt": format_time(session.ended_at) if session.ended_at else None,
        "updatedAt": format_time(session.updated_at),
        "markdownContent": markdown.decode("utf-8", "replace"),
        "exchanges": [exchange_body(one) for one in exchanges],
    }
