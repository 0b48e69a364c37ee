"""Every real session at hand is read whole: all its messages, all its lines."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from specloop.record.sessions.transcript import Message, Transcript, Usage, derive, parse_markdown, render_markdown
from tests.record.transcript.corpus import OWN, REAL, count_headers, real_files

_FILES = [*sorted(OWN.glob("*.md")), *real_files()]
_MARKUP = re.compile(
    r"\s*|---|#? ?<!-- .* -->|# \d{4}-.*|_\*\*(?:User|Agent|Assistant)\b.*\*\*_|<tool-use[ >].*|</details>|</tool-use>"
    r"|<think>.*|</details></(?:think|tool-use)>|(?:<details>)?<summary>.*|.*</summary>|`{3,}\w*"
)
"""Lines that frame content; fences count as frame because the reader takes results out of theirs."""


def test_the_real_sessions_are_here_or_their_absence_is_told() -> None:
    if not real_files():
        warnings.warn(f"no real sessions in {REAL}: only the small files of the suite were read", stacklevel=1)
    assert len(_FILES) >= 4


def messages(transcript: Transcript) -> list[Message]:
    return [message for exchange in transcript.exchanges for message in exchange.messages]


def _no_price(model: str, usage: Usage) -> None:
    return None


def texts(transcript: Transcript) -> Iterator[str]:
    for message in messages(transcript):
        yield from (part.text for part in message.parts)
        if message.tool:
            yield message.tool.formatted_markdown or ""
            yield message.tool.summary or ""


def content_lines(texts_: Iterator[str]) -> Counter[str]:
    lines = (line.rstrip() for text in texts_ for line in text.split("\n"))
    return Counter(line for line in lines if not _MARKUP.fullmatch(line))


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_real_session_is_read_whole(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    transcript = parse_markdown(source.encode())
    found = messages(transcript)
    assert transcript.session_id
    assert transcript.agent
    if "\n_**User" in source:
        assert transcript.exchanges
    if path.parent != OWN:
        assert len(found) == count_headers(source)
    preamble = source.split("\n_**", 1)[0]
    lost = content_lines(iter([source[len(preamble) :]])) - content_lines(texts(transcript))
    assert not lost


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.stem)
def test_a_real_session_written_again_reads_the_same(path: Path) -> None:
    transcript = parse_markdown(path.read_bytes())
    again = parse_markdown(render_markdown(transcript).encode())
    visible = [message for message in messages(transcript) if message.parts or message.tool]
    assert [(each.role, each.timestamp, each.model) for each in messages(again)] == [
        (each.role, each.timestamp and each.timestamp.replace(microsecond=0), each.model) for each in visible
    ]
    before, after = derive(transcript, _no_price), derive(again, _no_price)
    assert (after.tools, after.files, after.models) == (before.tools, before.files, before.models)
    assert "".join(each.text for each in after.exchanges) == "".join(each.text for each in before.exchanges)
