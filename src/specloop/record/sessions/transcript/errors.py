"""What can go wrong while a transcript is read."""

from __future__ import annotations

from specloop.errors import BadRequest


class Unparsable(BadRequest):
    """The document is no transcript that can be read."""

    code = "unparsable-transcript"
    title = "Unparsable Transcript"

    def __init__(self, reason: str) -> None:
        """`reason` is one plain sentence that may be shown to the owner of the session."""
        self.reason = reason
        super().__init__(reason)
