"""Rows of sessions and exchanges as values, and the columns that a session is read from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Select, select

from specloop.kit import json
from specloop.record.projects.model import Project
from specloop.record.projects.tables import PROJECTS
from specloop.record.sessions.compression import unpack
from specloop.record.sessions.model import Exchange, Session, SessionFigures, SessionProject, ShareStatus
from specloop.record.sessions.tables import SESSIONS, ExchangeRow

FIGURES: Final = tuple(SessionFigures.__dataclass_fields__)
_PLAIN: Final = (
    "id",
    "client_id",
    "account_id",
    "workspace_id",
    "owner_id",
    "name",
    "user_title",
    "title",
    "summary",
    "opening",
    "client_name",
    "client_version",
    "agent_name",
    "device_id",
    "machine_name",
    "slug",
    "schema_version",
    "markdown_version",
    "models",
    "branches",
    "tags",
    "markdown_size",
    "raw_size",
    "data_size",
    "is_parsed",
    "parse_problem",
    "started_at",
    "ended_at",
    "active_at",
    "created_at",
    "updated_at",
    "etag",
)
_SESSION_COLUMNS: Final = tuple(SESSIONS.columns[name] for name in (*_PLAIN, *FIGURES, "share_status", "metadata_json"))
_PROJECT_COLUMNS: Final = (
    PROJECTS.c.id.label("project_row_id"),
    PROJECTS.c.client_id.label("project_client_id"),
    PROJECTS.c.name.label("project_name"),
    PROJECTS.c.icon.label("project_icon"),
    PROJECTS.c.color.label("project_color"),
)
# Built once: putting so many columns together costs more than reading them.
_SELECT: Final[Select[Any]] = select(*_SESSION_COLUMNS, *_PROJECT_COLUMNS).join(
    PROJECTS, SESSIONS.c.project_id == PROJECTS.c.id
)


def select_sessions() -> Select[Any]:
    """Sessions with their projects; give each row to `to_session`."""
    return _SELECT


def to_session(row: Mapping[str, Any]) -> Session:
    """A row of `select_sessions`."""
    project = SessionProject(
        row["project_row_id"],
        row["project_client_id"],
        row["project_name"],
        row["project_icon"],
        row["project_color"],
    )
    return from_values(row, project)


def from_values(values: Mapping[str, Any], project: SessionProject) -> Session:
    """A session from the values of its columns. Its tag covers what it shows of its project, which its row does not."""
    return Session(
        **{name: values[name] for name in _PLAIN if name != "etag"},
        etag=values["etag"] + _label_digest(project),
        project=project,
        share_status=ShareStatus(values["share_status"]),
        metadata=json.loads(values["metadata_json"]),
        figures=SessionFigures(**{name: values[name] for name in FIGURES}),
    )


@lru_cache(maxsize=1_000)
def _label_digest(project: SessionProject) -> str:
    shown = (project.client_id, project.name, project.icon, project.color)
    return sha256(json.dumps(shown)).hexdigest()[:8]


def brief(project: Project) -> SessionProject:
    """What a session shows of its project."""
    return SessionProject(project.id, project.client_id, project.name, project.icon, project.color)


def to_exchange(row: ExchangeRow) -> Exchange:
    """A row of exchanges."""
    return Exchange(
        id=row.id,
        session_id=row.session_id,
        order_number=row.order_number,
        key=row.key,
        started_at=row.started_at,
        ended_at=row.ended_at,
        user_title=row.user_title,
        is_hidden=row.hidden_from_share,
        has_error=row.has_error,
        text=unpack(row.body).decode(),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
