"""What can go wrong while a local transcript is read."""

from __future__ import annotations

from specloop.errors import BadRequest


class UnreadableTranscript(BadRequest):
    """The transcript cannot be read."""

    code = "unreadable-transcript"
    title = "Unreadable Transcript"
