"""What can go wrong with sessions; the texts are the contract's where it has one (specstory.md §1.0)."""

from __future__ import annotations

from specloop.errors import BadRequest, Internal, NotFound


class SessionNotFound(NotFound):
    """Session not found"""

    code = "session-not-found"
    title = "Session Not Found"


class NotShared(NotFound):
    """Session not found or not shared"""

    code = "session-not-shared"
    title = "Session Not Shared"


class ExchangeNotFound(NotFound):
    """Exchange not found"""

    code = "exchange-not-found"
    title = "Exchange Not Found"


class DocumentMissing(NotFound):
    """Session data not found"""

    code = "document-missing"
    title = "Document Missing"


class BadUpload(BadRequest):
    """Invalid JSON in request body"""

    code = "bad-upload"


class BadSessionID(BadRequest):
    """Session id must have 1 to 128 characters of A-Z a-z 0-9 . _ : -"""

    code = "bad-session-id"


class BadSessionField(BadRequest):
    """A field of the session has a value that it cannot have"""

    code = "bad-session-field"


class DocumentCorrupt(Internal):
    """The stored document is corrupt: it is not what was uploaded, so it is not served"""

    code = "document-corrupt"
    title = "Document Corrupt"
