"""Draws from a transcript what lists, filters, search and statistics need (specstory.md §6.3, §7.3).

Pure: prices come in as a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

from specloop.record.sessions.transcript.files import files_of, guess_root, tidy_path
from specloop.record.sessions.transcript.model import (
    ExchangeFacts,
    Facts,
    Message,
    ModelDay,
    Price,
    ToolCount,
    Transcript,
    TranscriptExchange,
    Usage,
)
from specloop.record.sessions.transcript.usage import billed

FILES_MAX = 2000
NAME_LENGTH_MAX = 200
TITLE_LENGTH_MAX = 120
_COMMAND = re.compile(
    r"<command-message>.{0,200}?</command-message>\s*<command-name>(.{1,200}?)</command-name>\s*"
    r"(?:<command-args>(.{0,500}?)</command-args>)?",
    re.DOTALL,
)
"""A prompt that the user keeps as a command; the agent's own commands such as /exit put the name first."""
_NOT_MODELS = frozenset({"<synthetic>", "unknown"})
_NOT_PROMPTS = (
    "<local-command",
    "<command-",
    "<system-reminder",
    "<environment_context",
    "<user_instructions",
    "Caveat:",
)


def derive(transcript: Transcript, price: Price, branches: Sequence[str] = ()) -> Facts:
    """The facts of a session; `branches` are what `branches_in_raw` found, `price` says what tokens cost."""
    messages = [message for exchange in transcript.exchanges for message in exchange.messages]
    users = sum(message.role == "user" for message in messages)
    tools = _count_tools(messages)
    days = tuple(_usage_by_day(messages, transcript.provider_id, price))
    errors = sum(count.errors for count in tools.values())
    return Facts(
        title=_title(transcript, messages),
        started_at=_started_at(transcript, messages),
        ended_at=_ended_at(transcript, messages),
        models=_models(messages),
        branches=tuple(branches),
        files=_files(messages, transcript.workspace_root),
        tools=tools,
        message_count=len(messages),
        user_message_count=users,
        agent_message_count=len(messages) - users,
        tool_calls=sum(count.calls for count in tools.values()),
        tool_errors=errors,
        usage=_total(day.usage for day in days),
        usage_by_day=days,
        cost=_total_cost(days),
        has_error=errors > 0,
        exchanges=tuple(map(_exchange_facts, transcript.exchanges)),
    )


def _title(transcript: Transcript, messages: Sequence[Message]) -> str | None:
    """The transcript's own title, else the first line of the first real prompt."""
    if transcript.title:
        return transcript.title
    for message in messages:
        if message.role == "user" and not message.is_sidechain:
            line = _first_line(_said(message))
            if line:
                return line if len(line) <= TITLE_LENGTH_MAX else line[: TITLE_LENGTH_MAX - 1].rstrip() + "…"
    return transcript.slug


def _first_line(text: str) -> str | None:
    """The first line with words, None for what the agent's own commands put into the user's mouth."""
    stripped = text.lstrip()
    command = _COMMAND.match(stripped)
    if command:
        return f"{command[1]} {command[2] or ''}".split("\n", 1)[0].strip()
    if not stripped or stripped.startswith(_NOT_PROMPTS):
        return None
    return stripped[:1000].split("\n", 1)[0].strip("# \t")


def _started_at(transcript: Transcript, messages: Sequence[Message]) -> datetime | None:
    starts = (exchange.started_at for exchange in transcript.exchanges if exchange.started_at)
    times = (message.timestamp for message in messages if message.timestamp)
    return next(starts, None) or transcript.created_at or min(times, default=None)


def _ended_at(transcript: Transcript, messages: Sequence[Message]) -> datetime | None:
    ends = (exchange.ended_at for exchange in reversed(transcript.exchanges) if exchange.ended_at)
    times = (message.timestamp for message in messages if message.timestamp)
    return next(ends, None) or transcript.updated_at or max(times, default=None)


def _models(messages: Sequence[Message]) -> tuple[str, ...]:
    named = (message.model for message in messages if message.model and message.model not in _NOT_MODELS)
    return tuple(dict.fromkeys(name[:NAME_LENGTH_MAX] for name in named))


def _files(messages: Sequence[Message], workspace_root: str | None) -> tuple[str, ...]:
    """Each file once; without a known root (markdown names none), the root is guessed from the paths themselves."""
    touched = list(dict.fromkeys(path for message in messages for path in files_of(message, workspace_root)))
    root = None if workspace_root else guess_root(touched)
    if root:
        touched = list(dict.fromkeys(tidy_path(path, root) or path for path in touched))
    return tuple(touched[:FILES_MAX])


def _count_tools(messages: Sequence[Message]) -> dict[str, ToolCount]:
    counts: dict[str, ToolCount] = {}
    for message in messages:
        if message.tool is not None:
            name = message.tool.name[:NAME_LENGTH_MAX]
            before = counts.get(name, ToolCount())
            counts[name] = ToolCount(before.calls + 1, before.errors + message.tool.is_error)
    return counts


def _usage_by_day(messages: Sequence[Message], provider_id: str | None, price: Price) -> Iterator[ModelDay]:
    """Tokens by (UTC day, model), days in order; a message without a time counts on the day before it."""
    totals: dict[tuple[date | None, str | None], Usage] = {}
    day: date | None = None
    for message, usage in billed(messages, provider_id):
        day = message.timestamp.astimezone(UTC).date() if message.timestamp else day
        key = (day, message.model[:NAME_LENGTH_MAX] if message.model else None)
        totals[key] = totals.get(key, Usage()) + usage
    for (day, model), usage in sorted(totals.items(), key=lambda item: (str(item[0][0] or ""), item[0][1] or "")):
        yield ModelDay(day, model, usage, price(model, usage) if model else None)


def _total(usages: Iterable[Usage]) -> Usage:
    return sum(usages, Usage())


def _total_cost(days: Sequence[ModelDay]) -> Decimal | None:
    """None when nothing was counted, or a part of it has no known price: a partial sum would read as the whole."""
    costs = [day.cost for day in days]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(costs) else None


def _exchange_facts(exchange: TranscriptExchange) -> ExchangeFacts:
    times = [message.timestamp for message in exchange.messages if message.timestamp]
    return ExchangeFacts(
        key=exchange.key,
        started_at=exchange.started_at or min(times, default=None),
        ended_at=exchange.ended_at or max(times, default=None),
        text="\n\n".join(text for text in map(_said, exchange.messages) if text),
        has_error=any(message.tool is not None and message.tool.is_error for message in exchange.messages),
    )


def _said(message: Message) -> str:
    """The visible text of a message, without thinking and tools."""
    return "\n\n".join(part.text for part in message.parts if part.kind == "text")
