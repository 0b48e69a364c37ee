"""Rows of recorded sessions as their owner can read them: documents as the text that was uploaded."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import Any

from specloop.kit import json
from specloop.record.sessions.compression import unpack

Row = dict[str, Any]


def read_session(row: Row) -> Row:
    """A row of `coding_sessions` with what the client told of it."""
    return {**_without(row, "metadata_json"), "metadata": json.loads(row["metadata_json"])}


def read_document(row: Row) -> Row:
    """A row of `session_documents`: `text`, or `base64` where it is no UTF-8. A damaged one says so and has neither."""
    try:
        plain = unpack(row["body"])
    except ValueError:
        plain = None
    kept = _without(row, "body")
    if plain is None or sha256(plain).hexdigest() != row["sha256"]:
        return {**kept, "is_corrupt": True}
    return {**kept, **_as_text(plain)}


def read_exchange(row: Row) -> Row:
    """A row of `session_exchanges` with its words."""
    try:
        return {**_without(row, "body"), **_as_text(unpack(row["body"]))}
    except ValueError:
        return {**_without(row, "body"), "is_corrupt": True}


def _without(row: Row, name: str) -> Row:
    return {key: value for key, value in row.items() if key != name}


def _as_text(plain: bytes) -> Row:
    try:
        return {"text": plain.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(plain).decode()}


SESSION_READERS = {
    "coding_sessions": read_session,
    "session_documents": read_document,
    "session_exchanges": read_exchange,
}
