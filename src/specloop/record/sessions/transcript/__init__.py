"""Transcripts: reading a coding agent's session from SessionData or markdown, writing it, and drawing facts from it.

Pure: nothing here knows a database, a request or a clock.
"""

from __future__ import annotations

from specloop.record.sessions.transcript.branches import branches_in_raw
from specloop.record.sessions.transcript.derive import derive
from specloop.record.sessions.transcript.errors import Unparsable
from specloop.record.sessions.transcript.failures import output_text
from specloop.record.sessions.transcript.markdown import parse_markdown
from specloop.record.sessions.transcript.merge import Candidate, choose_files
from specloop.record.sessions.transcript.model import (
    ExchangeFacts,
    Facts,
    Message,
    ModelDay,
    Parsed,
    Part,
    Price,
    RenderOptions,
    Tool,
    ToolCount,
    Transcript,
    TranscriptExchange,
    Usage,
)
from specloop.record.sessions.transcript.parse import parse
from specloop.record.sessions.transcript.render import render_markdown
from specloop.record.sessions.transcript.session_data import parse_session_data

__all__ = [
    "Candidate",
    "ExchangeFacts",
    "Facts",
    "Message",
    "ModelDay",
    "Parsed",
    "Part",
    "Price",
    "RenderOptions",
    "Tool",
    "ToolCount",
    "Transcript",
    "TranscriptExchange",
    "Unparsable",
    "Usage",
    "branches_in_raw",
    "choose_files",
    "derive",
    "output_text",
    "parse",
    "parse_markdown",
    "parse_session_data",
    "render_markdown",
]
