"""Sessions of coding agents: what was said, done and changed, kept byte for byte and read in many ways.

The services are built once by `record.assembly`; the edges find them by their types. What a transcript says is in
`record.sessions.transcript`.
"""

from specloop.record.sessions.errors import (
    BadSessionField,
    BadSessionID,
    BadUpload,
    DocumentCorrupt,
    DocumentMissing,
    ExchangeNotFound,
    NotShared,
    SessionNotFound,
)
from specloop.record.sessions.exporting import SESSION_READERS
from specloop.record.sessions.model import (
    DayActivity,
    DocumentKind,
    Exchange,
    Session,
    SessionFigures,
    SessionFilters,
    SessionOrder,
    SessionProject,
    SessionSizes,
    SharedSession,
    ShareStatus,
    Stored,
    StoredExchange,
    ToolUse,
    Upload,
    UsageSum,
    ValueKind,
)
from specloop.record.sessions.observers import SessionObserver
from specloop.record.sessions.service.batches import Activity, NearSession, ProjectFigures, SessionBatches
from specloop.record.sessions.service.checking import DocumentCheck, DocumentReport
from specloop.record.sessions.service.editing import ExchangeChange, SessionChange, SessionEditor
from specloop.record.sessions.service.expiry import SessionExpiry
from specloop.record.sessions.service.reading import SessionReader
from specloop.record.sessions.service.removal import SessionRemoval
from specloop.record.sessions.service.sharing import SharedSessions
from specloop.record.sessions.service.statistics import ProjectOverview, Statistics
from specloop.record.sessions.service.uploads import SessionUploads

__all__ = [
    "SESSION_READERS",
    "Activity",
    "BadSessionField",
    "BadSessionID",
    "BadUpload",
    "DayActivity",
    "DocumentCheck",
    "DocumentCorrupt",
    "DocumentKind",
    "DocumentMissing",
    "DocumentReport",
    "Exchange",
    "ExchangeChange",
    "ExchangeNotFound",
    "NearSession",
    "NotShared",
    "ProjectFigures",
    "ProjectOverview",
    "Session",
    "SessionBatches",
    "SessionChange",
    "SessionEditor",
    "SessionExpiry",
    "SessionFigures",
    "SessionFilters",
    "SessionNotFound",
    "SessionObserver",
    "SessionOrder",
    "SessionProject",
    "SessionReader",
    "SessionRemoval",
    "SessionSizes",
    "SessionUploads",
    "ShareStatus",
    "SharedSession",
    "SharedSessions",
    "Statistics",
    "Stored",
    "StoredExchange",
    "ToolUse",
    "Upload",
    "UsageSum",
    "ValueKind",
]
