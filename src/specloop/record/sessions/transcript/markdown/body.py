"""Reads what stands below one header: texts, thinking and tool calls, as messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from specloop.record.sessions.transcript.markdown.header import read_message_id
from specloop.record.sessions.transcript.markdown.scan import Block
from specloop.record.sessions.transcript.markdown.tool import read_tool
from specloop.record.sessions.transcript.model import Message, Part, Tool

_THINK_OPENING = re.compile(r"<think>\s*(?:<details>\s*)?(?:<summary>[^<]{0,200}</summary>)?\n?")
_THINK_CLOSING = re.compile(r"(?:</details>\s*)?</think>\s*$")


def read_block(lines: Sequence[str], block: Block, *, is_last: bool, is_modern: bool, is_ruled: bool) -> list[Message]:
    """The messages of a block: one in v2.1, in older versions one for each tool call below the header.

    `is_ruled` tells that a rule stands before the next header; that rule belongs to no message.
    """
    start, message_id = _skip_id(lines, block)
    end = _trim(lines, start, block.end, has_rule=is_ruled or (is_last and not is_modern))
    messages = _gather(_pieces(lines, block, start, end, is_modern=is_modern))
    header = block.header
    return [
        Message(
            id=message_id if index == 0 else None,
            role=header.role,
            timestamp=header.timestamp,
            model=header.model,
            parts=tuple(parts),
            tool=tool,
            is_sidechain=header.is_sidechain,
        )
        for index, (parts, tool) in enumerate(messages or [([], None)])
    ]


def _skip_id(lines: Sequence[str], block: Block) -> tuple[int, str | None]:
    for index in range(block.start, min(block.start + 2, block.end)):
        message_id = read_message_id(lines[index])
        if message_id is not None:
            return index + 1, message_id
    return block.start, None


def _trim(lines: Sequence[str], start: int, end: int, *, has_rule: bool) -> int:
    end = _before_blanks(lines, start, end)
    if has_rule and end > start and lines[end - 1].strip() == "---":
        end = _before_blanks(lines, start, end - 1)
    return end


def _before_blanks(lines: Sequence[str], start: int, end: int) -> int:
    while end > start and not lines[end - 1].strip():
        end -= 1
    return end


def _pieces(lines: Sequence[str], block: Block, start: int, end: int, *, is_modern: bool) -> Iterator[Part | Tool]:
    position = start
    for region in [*block.regions, None]:
        limit = end if region is None else region.first
        text = _text(lines[position:limit], beside_regions=bool(block.regions) and not is_modern)
        if text:
            yield Part("text", text)
        if region is None:
            return
        inside = lines[region.first : region.last + 1]
        yield read_tool(inside) if region.kind == "tool" else Part("thinking", _thinking("\n".join(inside)))
        position = region.last + 1


def _text(lines: Sequence[str], *, beside_regions: bool) -> str:
    """The text without blank lines around it; old versions also rule off text from the tools beside it."""
    first, last = 0, len(lines)
    blank = {"", "---"} if beside_regions else {""}
    while first < last and lines[first].strip() in blank:
        first += 1
    while last > first and lines[last - 1].strip() in blank:
        last -= 1
    return "\n".join(lines[first:last])


def _thinking(text: str) -> str:
    opening = _THINK_OPENING.match(text)
    return _THINK_CLOSING.sub("", text[opening.end() :] if opening else text).strip("\n")


def _gather(pieces: Iterator[Part | Tool]) -> list[tuple[list[Part], Tool | None]]:
    """Pieces in order as (parts, tool) pairs: a tool call ends its message."""
    messages: list[tuple[list[Part], Tool | None]] = []
    is_open = False
    for piece in pieces:
        if isinstance(piece, Tool):
            is_open = _add_tool(messages, piece, is_open)
            continue
        if not is_open:
            messages.append(([], None))
            is_open = True
        messages[-1][0].append(piece)
    return messages


def _add_tool(messages: list[tuple[list[Part], Tool | None]], tool: Tool, is_open: bool) -> bool:
    """Adds a tool call; the empty twin that follows a preformatted call (Cursor IDE) is the same call."""
    before = messages[-1][1] if messages and not is_open else None
    if before is not None and before.name == tool.name and tool.formatted_markdown is None:
        messages[-1] = (messages[-1][0], replace(before, summary=before.summary or tool.summary))
    elif is_open:
        messages[-1] = (messages[-1][0], tool)
    else:
        messages.append(([], tool))
    return False
