"""What the texts of a search mean together (specstory.md §2.2). The query language itself is the search's."""

from __future__ import annotations

from typing import Final

from specloop.errors import ValidationFailed
from specloop.record.search import Query, parse_query

QUERY_CHARS_MAX: Final = 2000


def is_wordless(text: str) -> bool:
    """Whether `text` names neither words nor filters: the contract's empty query, which finds nothing."""
    return parse_query(text) == Query()


def joined(*texts: str) -> str:
    """One query that holds when each of `texts` does, none of which is blank.

    A quotation may be left open and then reaches to the end, so such a text stands last, where it swallows no other;
    of several all but the last are closed.
    """
    *first, last = sorted(texts, key=_is_open)
    return checked(" ".join([*(f'{text}"' if _is_open(text) else text for text in first), last]))


def checked(text: str) -> str:
    """`text` as it may be searched for.

    Raises: ValidationFailed.
    """
    if len(text) > QUERY_CHARS_MAX:
        raise ValidationFailed.of(["query"], f"has more than {QUERY_CHARS_MAX} characters")
    return text.replace("\x00", " ")


def _is_open(text: str) -> bool:
    return text.count('"') % 2 == 1
