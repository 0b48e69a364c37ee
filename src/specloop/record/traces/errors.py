"""What can go wrong with traces."""

from __future__ import annotations

from specloop.errors import BadRequest, BusinessRule, NotFound, Unavailable


class TraceNotFound(NotFound):
    """Trace not found."""


class ExportNotFound(NotFound):
    """Export not found."""


class ExportNotReady(BusinessRule):
    """The export has no file yet."""


class MalformedTraces(BadRequest):
    """The body is not an OTLP trace export."""


class InboxFull(Unavailable):
    """The trace inbox is full; send again later."""
