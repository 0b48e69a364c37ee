"""Reads a session from whichever of its documents can be read (specstory.md §7.2, §7.3)."""

from __future__ import annotations

from specloop.record.sessions.transcript.errors import Unparsable
from specloop.record.sessions.transcript.markdown import parse_markdown
from specloop.record.sessions.transcript.model import Parsed, Transcript
from specloop.record.sessions.transcript.session_data import parse_session_data


def parse(markdown: bytes, session_data: bytes | None) -> Parsed:
    """The best reading: SessionData, because markdown cannot tell quoted markup from real; else the markdown.

    Never raises for what a document holds: `problem` then says what could not be read.
    """
    read, problem = _read_session_data(session_data)
    if read is not None and read.exchanges:
        return Parsed(read, None, "session_data")
    try:
        from_markdown = parse_markdown(markdown)
    except Unparsable as error:
        if read is not None:
            return Parsed(read, None, "session_data")
        return Parsed(None, " ".join(filter(None, (problem, error.reason))), None)
    return Parsed(from_markdown, problem, "markdown")


def _read_session_data(data: bytes | None) -> tuple[Transcript | None, str | None]:
    if data is None:
        return None, None
    try:
        return parse_session_data(data), None
    except Unparsable as error:
        return None, error.reason
