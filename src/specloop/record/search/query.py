"""The query language of every surface: words, phrases and filters. Pure; it knows neither engine.

A bare word is the beginning of a word; a word with inner punctuation is its parts side by side, the last of them a
beginning; a closed quotation is exact; one left open ends in a beginning (specstory.md §1.5). `name:value` filters
sessions when the name is known and the value makes sense, and is plain text otherwise. Nothing can be written wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from specloop.record.search.words import cut

TEXT_LENGTH_MAX: Final = 20_000
TERMS_MAX: Final = 24
PARTS_MAX: Final = 24
VALUES_MAX: Final = 20
LETTERS_MIN: Final = 2

_NAMES = "agent|project|model|branch|tag|machine|file|tool|after|before|has"
_PIECE = re.compile(
    rf"""
      (?P<name>{_NAMES}):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]+))   # a filter
    | "(?P<closed>[^"]*)"                                               # an exact phrase
    | "(?P<open>[^"]*)\Z                                                # a phrase still being typed
    | (?P<bare>[^\s"]+)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_DAY = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?\Z")
SHORT_LENGTH_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Term:
    """Words that must stand side by side; with `is_prefix` the last is only the beginning of a word."""

    parts: tuple[str, ...]
    is_prefix: bool

    @property
    def is_short(self) -> bool:
        """Whether so few letters are given that thousands of words begin with them."""
        return self.is_prefix and len(self.parts) == 1 and len(self.parts[0]) <= SHORT_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: all terms within one exchange, of sessions for which every filled filter holds.

    Of the values of one filter any may hold. `after` is the first moment wanted, `before` the first no longer wanted.
    """

    terms: tuple[Term, ...] = ()
    agents: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    machines: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    after: datetime | None = None
    before: datetime | None = None
    has_error: bool | None = None


Filler = Callable[[Query, str], Query | None]


def parse_query(text: str) -> Query:
    """The query that `text` means. Never fails: what is no filter is words, and what is no word is nothing."""
    query = Query()
    terms: dict[Term, None] = {}
    for match in _PIECE.finditer(text[:TEXT_LENGTH_MAX]):
        filtered = _with_filter(query, match)
        if filtered is not None:
            query = filtered
        elif len(terms) < TERMS_MAX:
            terms.update(dict.fromkeys(_terms(match)))
    return replace(query, terms=tuple(terms)[:TERMS_MAX])


def is_too_short(text: str) -> bool:
    """Whether `text` has fewer letters and digits than a search needs (specstory.md §1.5)."""
    return sum(map(str.isalnum, text[:TEXT_LENGTH_MAX])) < LETTERS_MIN


def _terms(match: re.Match[str]) -> Iterator[Term]:
    closed = match["closed"]
    if closed is None and match["name"] is not None and match["quoted"] is not None:
        yield from _term(match["name"], is_prefix=True)
        yield from _term(match["quoted"], is_prefix=False)
        return
    yield from _term(closed if closed is not None else match["open"] or match.group(), is_prefix=closed is None)


def _term(text: str, *, is_prefix: bool) -> Iterator[Term]:
    parts = cut(text)
    if parts:
        yield Term(tuple(parts[:PARTS_MAX]), is_prefix and len(parts) <= PARTS_MAX)


def _with_filter(query: Query, match: re.Match[str]) -> Query | None:
    if match["name"] is None:
        return None
    value = match["value"] if match["quoted"] is None else match["quoted"]
    value = value.replace("\x00", "").encode("utf-8", "replace").decode().strip()
    return _FILLERS[match["name"].lower()](query, value) if value else None


def _values(field: str) -> Filler:
    def fill(query: Query, value: str) -> Query:
        known: tuple[str, ...] = getattr(query, field)
        return replace(query, **{field: tuple(dict.fromkeys((*known, value)))[:VALUES_MAX]})

    return fill


def _after(query: Query, value: str) -> Query | None:
    moment = parse_moment(value)
    return None if moment is None else replace(query, after=moment)


def _before(query: Query, value: str) -> Query | None:
    moment = parse_moment(value)
    return None if moment is None else replace(query, before=moment)


def _has(query: Query, value: str) -> Query | None:
    return replace(query, has_error=True) if value.lower() in {"error", "errors"} else None


def parse_moment(value: str) -> datetime | None:
    """The beginning of a day or month, or an exact moment; without a zone it is UTC."""
    day = _DAY.match(value)
    try:
        if day:
            return datetime(int(day[1]), int(day[2]), int(day[3] or 1), tzinfo=UTC)
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment if timedelta(days=1) < moment - datetime.min.replace(tzinfo=UTC) else None
    except (ValueError, OverflowError):
        return None


_FILLERS: Final[dict[str, Filler]] = {
    "agent": _values("agents"),
    "project": _values("projects"),
    "model": _values("models"),
    "branch": _values("branches"),
    "tag": _values("tags"),
    "machine": _values("machines"),
    "file": _values("files"),
    "tool": _values("tools"),
    "after": _after,
    "before": _before,
    "has": _has,
}
