"""What can go wrong while secrets are looked for."""

from __future__ import annotations

from specloop.errors import SpecloopError


class RedactionUnavailable(SpecloopError):
    """Secrets cannot be taken out here: the betterleaks library is missing."""

    code = "redaction-unavailable"
    status = 501
    title = "Redaction Unavailable"
