"""Pages of sessions: limit and offset, or Relay's first and after; cursors that mean nothing to clients."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from specloop.errors import ValidationFailed
from specloop.record.sessions import Session

LIMIT_DEFAULT = 200
NESTED_DEFAULT = 50
"""Sessions of a project inside a list of projects."""
LIMIT_MAX = 500
"""What one page gives at most; whoever asks for more gets this much, and is told whether more follows."""
OFFSET_MAX = 10_000_000
_PREFIX = "after:"


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a list."""

    limit: int = LIMIT_DEFAULT
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a list as it was read; `count` finds the size of the whole when somebody asks."""

    rows: Sequence[Session]
    window: Window
    has_next: bool
    count: Callable[[], Awaitable[int]]


def window_of(
    limit: int | None, offset: int | None, first: int | None, after: str | None, default: int = LIMIT_DEFAULT
) -> Window:
    """The part that the arguments name; `first` and `after` (blank for the start) are Relay's limit and offset.

    Raises: ValidationFailed.
    """
    if limit is not None and first is not None:
        raise ValidationFailed.of(["first"], "give either limit or first")
    if offset is not None and after:
        raise ValidationFailed.of(["after"], "give either offset or after")
    start = offset_of(after) if after else (offset or 0)
    size = first if first is not None else limit
    return Window(size_of(default if size is None else size), bounded("offset", start, OFFSET_MAX))


def size_of(limit: int) -> int:
    """How many a list gives that is asked for `limit`.

    Raises: ValidationFailed.
    """
    if limit < 0:
        raise ValidationFailed.of(["limit"], f"must be between 0 and {LIMIT_MAX}; more is cut to {LIMIT_MAX}")
    return min(limit, LIMIT_MAX)


def bounded(name: str, value: int, highest: int, lowest: int = 0) -> int:
    """`value`, when it lies within the bounds.

    Raises: ValidationFailed.
    """
    if not lowest <= value <= highest:
        raise ValidationFailed.of([name], f"must be between {lowest} and {highest}")
    return value


def cursor_of(offset: int) -> str:
    """The cursor of the place that `offset` sessions come before."""
    return base64.urlsafe_b64encode(f"{_PREFIX}{offset}".encode()).decode()


def offset_of(cursor: str) -> int:
    """How many sessions come before the place.

    Raises: ValidationFailed for a text that is no cursor of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor.encode()).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    digits = text.removeprefix(_PREFIX)
    if not text.startswith(_PREFIX) or not digits.isdecimal() or len(digits) > 9:
        raise ValidationFailed.of(["after"], "is not a cursor that this list gave")
    return int(digits)
