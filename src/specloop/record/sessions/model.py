"""Recorded sessions as values: the session, its exchanges, filters for lists, figures. They know no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

CLIENT_ID_PATTERN = r"[A-Za-z0-9._:-]{1,128}"
"""What a session id of a client may look like (specstory.md §6.2)."""
TITLE_LENGTH_MAX = 500


class ShareStatus(StrEnum):
    """Who may read a session: its owner, or everybody who knows the link."""

    PRIVATE = "private"
    UNLISTED = "unlisted"


class DocumentKind(StrEnum):
    """What a client uploads, each kept byte for byte."""

    MARKDOWN = "markdown"
    RAW = "raw"
    SESSION_DATA = "session_data"


class ValueKind(StrEnum):
    """What sessions are filtered and counted by."""

    MODEL = "model"
    BRANCH = "branch"
    TAG = "tag"
    FILE = "file"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class SessionFigures:
    """What was counted in a session; `cost_usd` is None when the price of any of its tokens is unknown."""

    exchange_count: int = 0
    message_count: int = 0
    tool_calls: int = 0
    tool_errors: int = 0
    has_error: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float | None = None

    @property
    def total_tokens(self) -> int:
        """All tokens, however they are priced."""
        return (
            self.input_tokens
            + self.output_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
            + self.reasoning_tokens
        )


@dataclass(frozen=True, slots=True)
class SessionProject:
    """The project of a session, as far as lists show it. `client_id` is the id in URLs."""

    id: str
    client_id: str
    name: str
    icon: str
    color: str


@dataclass(frozen=True, slots=True)
class Session:
    """One recorded session.

    `client_id` is the id that the client gave it, `id` the key of the row. Sizes are bytes of what was sent;
    `data_size` is None without session data. `metadata` is what the client sent, unknown keys included. `opening` is
    the beginning of the first prompt. `active_at` is the last moment of the session, or of its upload when it tells
    none. `etag` is the opaque part of the weak tag.
    """

    id: str
    client_id: str
    account_id: str
    workspace_id: str
    owner_id: str
    project: SessionProject
    name: str
    user_title: str | None
    title: str | None
    summary: str | None
    opening: str | None
    client_name: str | None
    client_version: str | None
    agent_name: str | None
    device_id: str | None
    machine_name: str | None
    slug: str | None
    schema_version: str | None
    markdown_version: str | None
    share_status: ShareStatus
    metadata: Mapping[str, Any]
    models: Sequence[str]
    branches: Sequence[str]
    tags: Sequence[str]
    markdown_size: int
    raw_size: int
    data_size: int | None
    is_parsed: bool
    parse_problem: str | None
    started_at: datetime | None
    ended_at: datetime | None
    active_at: datetime
    created_at: datetime
    updated_at: datetime
    etag: str
    figures: SessionFigures

    @property
    def display_title(self) -> str:
        """What people see (specstory.md §6.3)."""
        return self.user_title or self.title or self.summary or self.name

    @property
    def is_resumable(self) -> bool:
        """Whether another agent could take it up: it has session data."""
        return bool(self.data_size)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One user turn and everything until the next; `text` is what user and agent said, without thinking and tools."""

    id: str
    session_id: str
    order_number: int
    key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    user_title: str | None
    is_hidden: bool
    has_error: bool
    text: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StoredExchange:
    """An exchange as an upload left it; `is_changed` is False when the text is what it was before."""

    id: str
    order_number: int
    text: str
    has_error: bool
    is_changed: bool


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """Which sessions: every filled field must hold, of its values any one. Empty means no condition.

    `project_ids` are ids as in URLs (client ids, aliases or row ids). `since`/`until` hold when the session's interval
    overlaps the range. `files` match by substring, everything else exactly, `branches` and so on case-sensitively.
    """

    project_ids: Sequence[str] = ()
    agents: Sequence[str] = ()
    client_names: Sequence[str] = ()
    device_ids: Sequence[str] = ()
    machines: Sequence[str] = ()
    models: Sequence[str] = ()
    branches: Sequence[str] = ()
    tags: Sequence[str] = ()
    files: Sequence[str] = ()
    tools: Sequence[str] = ()
    has_error: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    created_since: datetime | None = None
    created_until: datetime | None = None
    has_branches: bool | None = None
    is_resumable: bool | None = None
    share_status: ShareStatus | None = None


class SessionOrder(StrEnum):
    """What lists are sorted by."""

    CREATED = "created_at"
    UPDATED = "updated_at"
    STARTED = "started_at"
    ENDED = "ended_at"
    ACTIVE = "active_at"
    NAME = "name"
    MARKDOWN_SIZE = "markdown_size"
    COST = "cost_usd"
    EXCHANGES = "exchange_count"


@dataclass(frozen=True, slots=True)
class SessionSizes:
    """The sizes of one session's documents in bytes, for the client's decision what to upload."""

    client_id: str
    markdown_size: int
    data_size: int | None


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client sends of a session (specstory.md §1.2); the three documents are exact bytes.

    `session_data` None keeps what was stored before. `metadata` None keeps what was stored before.
    """

    project_name: str
    name: str
    markdown: bytes
    raw: bytes
    session_data: bytes | None = None
    metadata: Mapping[str, Any] | None = None
    markdown_version: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What an upload did."""

    is_created: bool
    session: Session


@dataclass(frozen=True, slots=True)
class SharedSession:
    """A session as those see it who know its link: the visible ones of `total` exchanges."""

    session: Session
    exchanges: Sequence[Exchange]
    total: int


@dataclass(frozen=True, slots=True)
class UsageSum:
    """Tokens and cost of several sessions under one key (a day, a model …).

    `cost_usd` sums what has a known price, None when nothing has; `unpriced` counts the model-days without one.
    """

    key: str
    sessions: int
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    unpriced: int


@dataclass(frozen=True, slots=True)
class ToolUse:
    """How often a tool was called in several sessions, and how often it failed."""

    name: str
    sessions: int
    calls: int
    errors: int


@dataclass(frozen=True, slots=True)
class DayActivity:
    """Sessions that began on one UTC day (ISO date), and in how many projects."""

    day: str
    sessions: int
    projects: int
