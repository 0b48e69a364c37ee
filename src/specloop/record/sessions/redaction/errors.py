"""What can go wrong while secrets are looked for."""

from __future__ import annotations

from specloop.errors import Unavailable


class RedactionUnavailable(Unavailable):
    """Secrets cannot be taken out here: the betterleaks library is missing."""

    code = "redaction-unavailable"
    title = "Redaction Unavailable"
