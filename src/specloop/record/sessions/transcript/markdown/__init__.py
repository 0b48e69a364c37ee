"""Reads the markdown that SpecStory's clients write, in every version of its layout (specstory.md §7.2).

`header` reads single lines, `scan` finds the messages, `body` and `tool` read what they hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from specloop.record.sessions.transcript.errors import Unparsable
from specloop.record.sessions.transcript.markdown.body import read_block
from specloop.record.sessions.transcript.markdown.header import Preamble, read_preamble
from specloop.record.sessions.transcript.markdown.scan import Block, Scanner, is_modern
from specloop.record.sessions.transcript.model import Message, Transcript, TranscriptExchange

__all__ = ["parse_markdown"]

_PREAMBLE_LINES_MAX = 60


def parse_markdown(data: bytes) -> Transcript:
    """The transcript in a SpecStory markdown file; bytes that are no UTF-8 and NULs are replaced.

    Raises: Unparsable when there is neither a speaker header nor SpecStory's own first line.
    """
    text = data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\0", "\ufffd")
    lines = text.split("\n")
    preamble = read_preamble(_before_headers(lines))
    blocks = Scanner(lines, preamble.version).blocks()
    if not blocks and preamble.version is None and preamble.session_id is None:
        raise Unparsable("The markdown has no SpecStory headers.")
    return _transcript(preamble, _exchanges(lines, blocks, preamble))


def _before_headers(lines: Sequence[str]) -> list[str]:
    found: list[str] = []
    for line in lines[:_PREAMBLE_LINES_MAX]:
        if line.startswith("_**"):
            break
        found.append(line)
    return found


def _transcript(preamble: Preamble, exchanges: tuple[TranscriptExchange, ...]) -> Transcript:
    times = [message.timestamp for exchange in exchanges for message in exchange.messages if message.timestamp]
    return Transcript(
        session_id=preamble.session_id,
        agent=preamble.agent,
        provider_id=None,
        version=preamble.version,
        created_at=preamble.created_at or min(times, default=None),
        updated_at=max(times, default=preamble.created_at),
        workspace_root=None,
        slug=None,
        title=preamble.title,
        exchanges=exchanges,
    )


def _exchanges(lines: Sequence[str], blocks: Sequence[Block], preamble: Preamble) -> tuple[TranscriptExchange, ...]:
    modern = is_modern(preamble.version)
    turns: list[list[Message]] = []
    for index, block in enumerate(blocks):
        is_last = index + 1 == len(blocks)
        is_ruled = not is_last and blocks[index + 1].is_separated
        messages = read_block(lines, block, is_last=is_last, is_modern=modern, is_ruled=is_ruled)
        if index == 0 or _starts_exchange(blocks[index - 1], block, is_modern=modern):
            turns.append([])
        turns[-1].extend(messages)
    return tuple(_exchange(turn) for turn in turns)


def _starts_exchange(before: Block, block: Block, *, is_modern: bool) -> bool:
    """Every user header starts an exchange (§7.3), and in v2.1 a rule between two messages of the agent."""
    if block.header.is_sidechain:
        return False
    return block.header.role == "user" or (is_modern and block.is_separated and before.header.role == "agent")


def _exchange(messages: Sequence[Message]) -> TranscriptExchange:
    times = [message.timestamp for message in messages if message.timestamp]
    return TranscriptExchange(None, min(times, default=None), max(times, default=None), tuple(messages))
