"""JSON as Specloop writes it: compact UTF-8, and one canonical form for hashes (RFC 8785)."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import orjson
import rfc8785

from specloop.kit.clock import format_time

JSONDecodeError = orjson.JSONDecodeError


def _default(value: object) -> object:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps(value: Any) -> bytes:
    """Compact JSON; datetimes become RFC 3339 with `Z` and microseconds.

    Raises: TypeError for a value with no JSON form.
    """
    return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_DATETIME)


def loads(data: bytes | str) -> Any:
    """The value of a JSON text.

    Raises: JSONDecodeError.
    """
    return orjson.loads(data)


def canonical(value: Any) -> bytes:
    """The one byte form of a JSON value (RFC 8785): sorted keys, shortest numbers."""
    return rfc8785.dumps(value)


def canonical_hash(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hex characters."""
    return hashlib.sha256(canonical(value)).hexdigest()
