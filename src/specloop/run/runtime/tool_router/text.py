"""Splits requests and tool descriptions into comparable words. It knows English only, and nothing about tools."""

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")

_STOP_LINES = """
    a about all am an and any are as at be both but can could did do does each find for from get give had has
    have he her his how i if in into is it its just let like make me more most my need no not of on only or
    other our out please same she should show so some such tell than that the their then there these they this
    those to too up us very want was we were what when where which who whom why will with would you your
"""

STOP_WORDS = frozenset(_STOP_LINES.split())

_SUFFIXES = (("ing", ""), ("ies", "y"), ("es", ""), ("ed", ""), ("s", ""))


@lru_cache(maxsize=65_536)
def normalise_word(word: str) -> str:
    """Lower case without a plural or verb ending; empty for stop words and single letters."""
    word = word.lower()
    if word in STOP_WORDS or (len(word) == 1 and word.isascii()):
        return ""
    for suffix, replacement in _SUFFIXES:
        if len(word) > len(suffix) + 3 and word.endswith(suffix):
            return word[: -len(suffix)] + replacement
    return word


def words_of(text: str) -> frozenset[str]:
    """The distinct normalised words of a text; camelCase and snake_case names fall apart into their parts."""
    return frozenset(filter(None, map(normalise_word, _WORD.findall(text))))
