"""Finds where each message of a SpecStory markdown file begins and ends, in one pass over its lines.

Users, agents and tools quote headers, fences and whole transcripts, so a line that looks like markup may be content
(specstory.md §7.2). Knows lines only: what a message holds is read by `body`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from specloop.record.sessions.transcript.markdown.header import Header, read_header

_FENCE = re.compile(r"[ \t]*(`{3,})([^`]*)")
_TOOL_OPENING = re.compile(r"<tool-use[ >]")
_CLOSERS = ("</details>", "</tool-use>", "</think>")
_MODERN = (2, 1)
_DISORDER = timedelta(seconds=60)
"""How far real messages may step back in time: parallel tool calls are written in the order of their results."""


@dataclass(frozen=True, slots=True)
class Region:
    """Lines `first` to `last`, both counted, that one tool call or one piece of thinking fills."""

    kind: str
    first: int
    last: int


@dataclass(slots=True)
class Block:
    """One header and its lines `start` up to, not with, `end`; `is_separated`: a rule stands before the header."""

    header: Header
    start: int
    end: int = 0
    is_separated: bool = False
    regions: list[Region] = field(default_factory=list[Region])


@dataclass(frozen=True, slots=True)
class _Fence:
    length: int
    is_bare: bool


class Fences:
    """Which fence lines really open a fence, and where it closes.

    SpecStory makes a fence longer than any run of backticks inside, so a fence is *sound* when the next fence line
    of at least its length closes it. Several agents' own formatters break that rule; their stray fence lines are
    unsound, and trusting them would swallow the rest of the file. Linear: one stack finds every next longer fence.
    """

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._closing: dict[int, int] = {}
        waiting: list[tuple[int, _Fence]] = []
        for index, line in enumerate(lines):
            fence = _read_fence(line)
            if fence is not None:
                self._close_shorter(waiting, index, fence)
                waiting.append((index, fence))

    def _close_shorter(self, waiting: list[tuple[int, _Fence]], index: int, fence: _Fence) -> None:
        while waiting and waiting[-1][1].length <= fence.length:
            opening, _ = waiting.pop()
            if fence.is_bare:
                self._closing[opening] = index

    def closing(self, index: int) -> int | None:
        """The line that closes the sound fence which line `index` opens, None when it opens none."""
        closing = self._closing.get(index)
        if closing is None or self._looks_like_an_end(index):
            return None
        return closing

    def _looks_like_an_end(self, index: int) -> bool:
        """Whether the line after a bare fence shows that the fence closes something instead of opening it."""
        if self._lines[index].strip(" \t`"):
            return False
        follower = _next_filled(self._lines, index)
        if follower is None:
            return True
        line = self._lines[follower]
        return line.startswith(_CLOSERS) if follower == index + 1 else read_header(line) is not None


def _read_fence(line: str) -> _Fence | None:
    if "```" not in line:
        return None
    match = _FENCE.fullmatch(line)
    return _Fence(len(match[1]), not match[2].strip()) if match else None


def _next_filled(lines: Sequence[str], index: int) -> int | None:
    """The first line after `index` that is not blank, looking a few lines ahead only."""
    for candidate in range(index + 1, min(index + 6, len(lines))):
        if lines[candidate].strip():
            return candidate
    return None


def is_modern(version: str | None) -> bool:
    """Whether the layout is v2.1 or later, where every message has its own header."""
    numbers = re.findall(r"\d+", version or "")[:2]
    return tuple(int(number[:6]) for number in numbers) >= _MODERN


class Scanner:
    """One pass over the lines; `blocks()` gives every message in order."""

    def __init__(self, lines: Sequence[str], version: str | None) -> None:
        self._lines = lines
        self._is_modern = is_modern(version)
        self._fences = Fences(lines)
        self._blocks: list[Block] = []
        self._fenced_until = -1
        self._open: tuple[str, int] | None = None
        self._latest: datetime | None = None
        self._are_users_timed = False

    def blocks(self) -> list[Block]:
        """All messages, with the regions of their tools and thinking."""
        for index, line in self._marked_lines():
            if line.startswith("_**"):
                self._see_header(index, line)
            elif index > self._fenced_until:
                self._see_markup(index, line)
        self._end_block(len(self._lines))
        return self._blocks

    def _marked_lines(self) -> Iterator[tuple[int, str]]:
        for index, line in enumerate(self._lines):
            if line.startswith(("_**", "<tool-use", "<think>")) or "```" in line or line.endswith(">"):
                yield index, line

    def _see_markup(self, index: int, line: str) -> None:
        if self._open is not None and self._open[0] == "think":
            if _ends(line, "</think>"):
                self._close(index)
        elif self._open is None and self._blocks and self._opens_region(index, line):
            self._open = ("tool" if line.startswith("<tool-use") else "think", index)
            if _ends(line, "</think>"):
                self._close(index)
        elif self._open is not None and _ends(line, "</tool-use>") and self._is_tool_end(index):
            self._close(index)
        else:
            self._fenced_until = self._fences.closing(index) or self._fenced_until

    def _opens_region(self, index: int, line: str) -> bool:
        is_opening = _TOOL_OPENING.match(line) is not None or line.startswith("<think>")
        return is_opening and (index == 0 or not self._lines[index - 1].strip())

    def _is_tool_end(self, index: int) -> bool:
        """A closing tag before an older header belongs to a transcript that the tool's result quotes."""
        follower = _next_filled(self._lines, index)
        if follower is not None and self._lines[follower].strip() == "---":
            follower = _next_filled(self._lines, follower)
        header = read_header(self._lines[follower]) if follower is not None else None
        return header is None or not self._is_older(header)

    def _close(self, index: int) -> None:
        if self._open is not None:
            self._blocks[-1].regions.append(Region(self._open[0], self._open[1], index))
        self._open = None

    def _see_header(self, index: int, line: str) -> None:
        header = read_header(line)
        if header is None or not self._stands_alone(index):
            return
        is_separated = self._is_separated(index)
        if self._blocks and not self._is_real(index, header, is_separated):
            return
        self._end_block(index)
        self._blocks.append(Block(header, index + 1, is_separated=is_separated))
        if header.timestamp is not None:
            self._latest = header.timestamp
            self._are_users_timed |= header.role == "user"

    def _stands_alone(self, index: int) -> bool:
        before = self._lines[index - 1].strip() if index else ""
        after = self._lines[index + 1].strip() if index + 1 < len(self._lines) else ""
        return (not before and (not after or after.startswith("<!--"))) or not self._is_modern

    def _is_separated(self, index: int) -> bool:
        for candidate in range(index - 1, max(index - 4, -1), -1):
            if self._lines[candidate].strip():
                return self._lines[candidate].strip() == "---" and not self._lines[candidate - 1].strip()
        return False

    def _is_real(self, index: int, header: Header, is_separated: bool) -> bool:
        """Whether a header-like line opens a message; it may be quoted by the message that it stands in.

        A quotation cannot be younger than who quotes it, and in v2.1 a change of speaker comes with a rule.
        """
        is_inside = index <= self._fenced_until or self._open is not None
        if is_inside:
            is_tool_fenced = index <= self._fenced_until and self._open is not None
            return not is_tool_fenced and self._is_younger(header) and self._follows_rule(header, is_separated)
        return not self._is_older(header) and self._follows_rule(header, is_separated) and self._fits_style(header)

    def _is_younger(self, header: Header) -> bool:
        return header.timestamp is not None and self._latest is not None and header.timestamp > self._latest

    def _is_older(self, header: Header) -> bool:
        # A sub-agent's messages are written where its call stands, however long ago it was called.
        if header.is_sidechain or header.timestamp is None or self._latest is None:
            return False
        return header.timestamp < self._latest - _DISORDER

    def _follows_rule(self, header: Header, is_separated: bool) -> bool:
        return is_separated or not self._is_modern or header.role == self._blocks[-1].header.role

    def _fits_style(self, header: Header) -> bool:
        is_bare_user = header.role == "user" and header.timestamp is None
        return not (is_bare_user and self._is_modern and self._are_users_timed)

    def _end_block(self, end: int) -> None:
        """Lets the last message end before line `end`; a region that never closed ends with it."""
        if not self._blocks:
            return
        if self._open is not None:
            self._close(end - 1)
        self._fenced_until = -1
        self._blocks[-1].end = end


def _ends(line: str, tag: str) -> bool:
    return line.rstrip().endswith(tag)
