"""Cuts text into the words that are indexed and searched for; both engines are given these and never cut by themselves.

A word is a run of letters and digits in lower case, without the accents of Latin, Greek and Cyrillic (specstory.md
§1.5 and the `unicode61` rules that it names). Chinese and Japanese have no spaces between words, so each of their
characters is a word of its own: a query inside a longer run is then found as adjacent words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

WORD_LENGTH_MAX: Final = 100
"""Longer runs (encoded files, keys) are known by their first characters."""
RULES: Final = f"1/{unicodedata.unidata_version}"
"""Changes whenever the same text could be cut differently, which asks for a new index (see `IndexTidying`); a new
version of Python may bring that about."""

_IDEOGRAPH = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_ACCENT = "\u0300-\u036f"
_WORD = re.compile(rf"[{_IDEOGRAPH}]|(?:(?![{_IDEOGRAPH}])[^\W_][{_ACCENT}]*)+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_ACCENTS = re.compile(f"[{_ACCENT}]+")


class Span(NamedTuple):
    """A word and where it stands in the text it was cut from."""

    word: str
    start: int
    end: int


def cut(text: str) -> list[str]:
    """The words of `text` in order."""
    if text.isascii():
        words = _ASCII_WORD.findall(text.lower())
        return [word[:WORD_LENGTH_MAX] for word in words]
    return [_fold(match.group()) for match in _WORD.finditer(text)]


def spans(text: str, start: int = 0) -> Iterator[Span]:
    """The words of `text` from `start` on, with their places; lazily, since callers stop early."""
    for match in _WORD.finditer(text, start):
        yield Span(_fold(match.group()), match.start(), match.end())


def _fold(run: str) -> str:
    if run.isascii():
        return run.lower()[:WORD_LENGTH_MAX]
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", run))
    return _ACCENTS.sub("", unicodedata.normalize("NFC", bare).lower())[:WORD_LENGTH_MAX]
