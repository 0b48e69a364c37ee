"""Identifiers: UUIDv7 text, time-ordered so that indexes stay compact (RFC 9562 §5.7)."""

from __future__ import annotations

import re

import uuid_utils

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_id() -> str:
    """A fresh UUIDv7 as 36 lower-case characters."""
    return str(uuid_utils.uuid7())


def parse_uuid(text: str) -> str | None:
    """`text` in canonical lower case when it is a UUID in its 36-character form, else None."""
    lowered = text.lower()
    return lowered if _UUID.fullmatch(lowered) else None
