"""Transcripts: reading a coding agent's session from SessionData or markdown, writing it, and drawing facts from it.

Pure: nothing here knows a database, a request or a clock.
"""

from __future__ import annotations

from specloop.record.sessions.transcript.errors import Unparsable
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

__all__ = [
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
]
