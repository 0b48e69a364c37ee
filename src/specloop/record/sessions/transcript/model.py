"""A coding agent's session as Specloop sees it, whichever form it came in, and the facts drawn from it.

Plain frozen values (specstory.md §7.1, §7.2). They know no file format, no database and no price.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any, Literal

Role = Literal["user", "agent"]
PartKind = Literal["text", "thinking"]
Source = Literal["session_data", "markdown"]

TOOL_KINDS = frozenset({"write", "read", "search", "shell", "task", "generic", "unknown"})

NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of what somebody said: visible text, or thinking."""

    kind: PartKind
    text: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one or more model calls; `reasoning` tokens are part of none of the others.

    `input` counts tokens that no cache served; `cache_read` and `cache_write` are counted apart from it.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.reasoning + other.reasoning,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted."""
        return not (self.input or self.output or self.cache_read or self.cache_write or self.reasoning)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool call with its result. `kind` is SpecStory's tool type; a source may name one outside `TOOL_KINDS`.

    `input` and `output` hold what could be recovered: all of it from SessionData, a part from markdown, where the
    whole body is in `formatted_markdown`.
    """

    name: str
    kind: str = "unknown"
    use_id: str | None = None
    input: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    output: Mapping[str, Any] | None = None
    summary: str | None = None
    formatted_markdown: str | None = None
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message: what was said, or one tool call. `timestamp` is aware, UTC."""

    id: str | None
    role: Role
    timestamp: datetime | None = None
    model: str | None = None
    parts: tuple[Part, ...] = ()
    tool: Tool | None = None
    path_hints: tuple[str, ...] = ()
    usage: Usage | None = None
    is_sidechain: bool = False


@dataclass(frozen=True, slots=True)
class TranscriptExchange:
    """One user turn and everything until the next one. `key` is the client's exchange id, None in markdown."""

    key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """A whole session. Every field that a source leaves out is None, the exchanges are in order."""

    session_id: str | None
    agent: str | None
    provider_id: str | None
    version: str | None
    created_at: datetime | None
    updated_at: datetime | None
    workspace_root: str | None
    slug: str | None
    title: str | None
    exchanges: tuple[TranscriptExchange, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The best reading of a session's documents: `problem` says what could not be read, `source` what was used."""

    transcript: Transcript | None
    problem: str | None
    source: Source | None


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """What the markdown shows: thinking, tools, and in which time zone (None: UTC)."""

    thinking: bool = True
    tools: bool = True
    local_tz: tzinfo | None = None


@dataclass(frozen=True, slots=True)
class ToolCount:
    """How often a tool was called and how often it failed."""

    calls: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class ModelDay:
    """Tokens of one model on one UTC day; `cost` in US dollars, None when the price is unknown."""

    day: date | None
    model: str | None
    usage: Usage
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class ExchangeFacts:
    """One exchange for search: `text` is what the user and the agent said, without thinking and tools."""

    key: str | None
    started_at: datetime | None
    ended_at: datetime | None
    text: str
    has_error: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What lists, filters, search and statistics need to know of a session (specstory.md §6.3, §7.3).

    `models`, `branches` and `files` are in order of first appearance, each once. `cost` is None as soon as any
    counted token has no known price.
    """

    title: str | None
    started_at: datetime | None
    ended_at: datetime | None
    models: tuple[str, ...]
    branches: tuple[str, ...]
    files: tuple[str, ...]
    tools: Mapping[str, ToolCount]
    message_count: int
    user_message_count: int
    agent_message_count: int
    tool_calls: int
    tool_errors: int
    usage: Usage
    usage_by_day: tuple[ModelDay, ...]
    cost: Decimal | None
    has_error: bool
    exchanges: tuple[ExchangeFacts, ...]


Price = Callable[[str, Usage], Decimal | None]
"""What `Usage` tokens of a model cost in US dollars; None when the model's price is unknown."""
