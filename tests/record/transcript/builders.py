"""Transcripts made by hand or by chance, for the tests of reading, writing and deriving."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from specloop.record.sessions.transcript import Message, Part, Tool, Transcript, TranscriptExchange, Usage

START = datetime(2026, 8, 7, 13, 21, 6, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """A moment `seconds` after the start of the session."""
    return START + timedelta(seconds=seconds)


def said(role: str, text: str, seconds: float | None = None, **more: Any) -> Message:
    """A message of one text."""
    moment = None if seconds is None else at(seconds)
    return Message(None, "user" if role == "user" else "agent", moment, parts=(Part("text", text),), **more)


def used(name: str, kind: str, seconds: float = 0, **more: Any) -> Message:
    """A message with one tool call; `more` are fields of the tool."""
    return Message(None, "agent", at(seconds), "claude-sonnet-4-5", tool=Tool(name, kind, **more))


def exchange(*messages: Message, key: str | None = None) -> TranscriptExchange:
    """One exchange; its times come from its messages."""
    times = [message.timestamp for message in messages if message.timestamp]
    return TranscriptExchange(key, min(times, default=None), max(times, default=None), messages)


def transcript(*exchanges: TranscriptExchange, **more: Any) -> Transcript:
    """A Claude Code session."""
    fields: dict[str, Any] = {
        "session_id": "550e8400-e29b-41d4-a716-446655440000",
        "agent": "Claude Code",
        "provider_id": "claude-code",
        "version": "1.0",
        "created_at": START,
        "updated_at": None,
        "workspace_root": "/home/dev/demo",
        "slug": None,
        "title": None,
    }
    return Transcript(**{**fields, **more}, exchanges=exchanges)


# Lines that look like markup but cannot be taken for a header of a message.
_LINES = st.one_of(
    st.sampled_from(
        [
            "---",
            "</details>",
            "<details>",
            "<summary>x</summary>",
            "> quoted",
            "# heading",
            "- item",
            "    indented",
            "`code`",
            "_**bold**_",
            "a _**User**_ b",
            "<tool-use-id>",
            "",
            "<!-- comment -->",
            "| a | b |",
        ]
    ),
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs"), exclude_characters="`<*"), max_size=20),
)
_FENCED = st.lists(_LINES, max_size=3).map(lambda lines: "\n".join(["```text", *lines, "```"]))
texts = (
    st.lists(st.one_of(_LINES, _FENCED), min_size=1, max_size=5)
    .map(lambda lines: "\n".join(line.rstrip("\r\u2028\u2029\x85\x0b\x0c\x1c\x1d\x1e") for line in lines))
    .map(lambda text: "words\n" + text + "\nmore words")
)
"""Texts full of things that look like markup."""

_names = st.sampled_from(["Bash", "Read", "mcp__files__list", "apply_patch", "My Tool", 'odd"name'])
_kinds = st.sampled_from(["shell", "read", "write", "generic", "unknown"])
_values = st.one_of(texts, st.integers(), st.booleans(), st.lists(st.integers(), max_size=2))
tools = st.builds(
    Tool,
    name=_names,
    kind=_kinds,
    input=st.dictionaries(st.sampled_from(["a", "command", "file_path", "_cwd"]), _values, max_size=3),
    output=st.none() | st.fixed_dictionaries({"content": texts, "is_error": st.just(False)}),
)
_parts = st.lists(st.builds(Part, st.sampled_from(["text", "thinking"]), texts), min_size=1, max_size=2).map(tuple)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Whole sessions: each exchange is one user message and what the agent did, in order of time."""
    clock = 0
    exchanges: list[TranscriptExchange] = []
    for _ in range(draw(st.integers(1, 3))):
        clock += draw(st.integers(0, 100))
        messages = [said("user", draw(texts), clock)]
        for _ in range(draw(st.integers(0, 3))):
            clock += draw(st.integers(0, 100))
            tool = draw(st.none() | tools)
            parts = draw(_parts) if tool is None or draw(st.booleans()) else ()
            model = draw(st.none() | st.just("claude-sonnet-4-5"))
            messages.append(Message(None, "agent", at(clock), model, parts, tool, is_sidechain=draw(st.booleans())))
        exchanges.append(exchange(*messages))
    return transcript(*exchanges)


def usage(prompt: int = 10, output: int = 5, read: int = 0, written: int = 0) -> Usage:
    """Token counts of one call."""
    return Usage(prompt, output, read, written)
