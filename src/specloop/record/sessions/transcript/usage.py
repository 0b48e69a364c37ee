"""Brings the token counts of every agent to one meaning, and finds counts that one model call left twice.

The agents disagree on what contains what (specstory.md §7.1): Codex and Gemini count cached tokens within the input,
Codex and Droid count reasoning within the output, Claude Code counts everything apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from specloop.record.sessions.transcript.model import Message, Usage

CLAUDE_CODE = "claude-code"
TOKENS_MAX = 2**40
"""No call counts more; a larger number is a mistake, and sums must stay within 64 bits."""


def read_usage(source: Mapping[str, Any]) -> Usage | None:
    """The counts of one message, None when it carries none."""
    if not source:
        return None
    cached_within = _count(source, "cachedInputTokens") + _count(source, "cachedTokens")
    reasoning_within = _count(source, "reasoningOutputTokens") + _count(source, "thinkingTokens")
    output = _count(source, "outputTokens")
    usage = Usage(
        input=max(_count(source, "inputTokens") - cached_within, 0) + _count(source, "toolTokens"),
        output=max(output - reasoning_within, 0),
        cache_read=_count(source, "cacheReadInputTokens") + cached_within,
        cache_write=_count(source, "cacheCreationInputTokens"),
        reasoning=reasoning_within + _count(source, "thoughtTokens"),
    )
    return None if usage.is_empty else usage


def _count(source: Mapping[str, Any], key: str) -> int:
    value = source.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return int(value) if 0 <= value <= TOKENS_MAX else 0


def billed(messages: Sequence[Message], provider_id: str | None) -> Iterator[tuple[Message, Usage]]:
    """Each message that stands for a model call, with the call's counts.

    Claude Code writes one record for every block of an answer and repeats the answer's usage on each, so that
    thinking, text and parallel tool calls of one answer would count several times.
    """
    pending: tuple[Message, Usage] | None = None
    for message in messages:
        if message.usage is None:
            continue
        if pending and provider_id == CLAUDE_CODE and _is_same_answer(pending[0], message):
            output = max(pending[1].output, message.usage.output)
            pending = (message, replace(message.usage, output=output))
            continue
        if pending:
            yield pending
        pending = (message, message.usage)
    if pending:
        yield pending


def _is_same_answer(before: Message, after: Message) -> bool:
    """Whether two neighbours are blocks of one answer: same prompt counts, and blocks in the order of an answer."""
    one, two = before.usage, after.usage
    if one is None or two is None or not (two.cache_read or two.cache_write):
        return False
    is_same_prompt = (one.input, one.cache_read, one.cache_write) == (two.input, two.cache_read, two.cache_write)
    is_same_speaker = (before.model, before.is_sidechain) == (after.model, after.is_sidechain)
    first, second = _rank(before), _rank(after)
    return is_same_prompt and is_same_speaker and (first < second or first == second == _TOOL_RANK)


_TOOL_RANK = 2


def _rank(message: Message) -> int:
    """Where a block stands in an answer: thinking, then text, then tool calls."""
    if message.tool is not None:
        return _TOOL_RANK
    return 1 if any(part.kind == "text" for part in message.parts) else 0
