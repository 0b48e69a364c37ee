"""The few words around the first match of a text, matches marked by control characters (specstory.md §1.5). Pure.

Made from the text itself and not by an engine, so that both engines show the same.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain, takewhile
from typing import Final

from specloop.record.search.query import Term
from specloop.record.search.words import Span, spans

MATCH_START: Final = "\u0002"
MATCH_END: Final = "\u0003"
WORDS_MAX: Final = 16
WORDS_BEFORE: Final = 5
_REACH: Final = 300
_SIDE: Final = 60
"""Characters kept beside a match inside one very long word."""
_NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_CHUNK = re.compile(r"\S+")

Place = tuple[int, int]


def make_snippet(text: str, terms: Sequence[Term]) -> str:
    """About 8 to 16 words of `text` around its first match; its beginning when nothing matches."""
    matches = find_matches(text, terms)
    first = next(matches, None)
    if first is None:
        return _clean(" ".join(_CHUNK.findall(text[: 4 * _REACH])[:WORDS_MAX])[: 4 * _SIDE])
    start, end = _window(text, first)
    inside = takewhile(lambda place: place[0] < end, matches)
    return _marked(text, start, end, [first, *(place for place in inside if place[1] <= end)])


def find_matches(text: str, terms: Sequence[Term]) -> Iterator[Place]:
    """Where terms match in `text`, in order, not overlapping; lazily.

    In text with letters beyond ASCII, a match that only folding shows is found when there is no plainer one.
    """
    pattern = _pattern(tuple(terms), text.isascii())
    plain = iter(()) if pattern is None else (match.span() for match in pattern.finditer(text))
    first = next(plain, None)
    if first is not None:
        return chain((first,), plain)
    return iter(()) if text.isascii() or not terms else _walk(text, terms)


@lru_cache(maxsize=64)
def _pattern(terms: tuple[Term, ...], is_ascii: bool) -> re.Pattern[str] | None:
    """The rules of `_walk` for words that are written as they are typed: many times faster than cutting the text."""
    inside, between = ("[a-z0-9]", "[^a-z0-9]+") if is_ascii else (r"[^\W_]", r"[\W_]+")
    choices = [
        between.join(term.parts) + (f"{inside}*" if term.is_prefix else f"(?!{inside})")
        for term in sorted(terms, key=lambda term: -len("".join(term.parts)))
        if all(part.isascii() for part in term.parts)
    ]
    flags = re.IGNORECASE | (re.ASCII if is_ascii else re.UNICODE)
    return re.compile(f"(?<!{inside})(?:{'|'.join(choices)})", flags) if choices else None


def _walk(text: str, terms: Sequence[Term]) -> Iterator[Place]:
    longest = max(len(term.parts) for term in terms)
    words = spans(text)
    ahead: deque[Span] = deque()
    free_from = 0
    while True:
        while len(ahead) < longest and (word := next(words, None)) is not None:
            ahead.append(word)
        if not ahead:
            return
        length = max((len(term.parts) for term in terms if _fits(term, ahead)), default=0)
        if length and ahead[0].start >= free_from:
            free_from = ahead[length - 1].end
            yield ahead[0].start, free_from
        ahead.popleft()


def _fits(term: Term, ahead: deque[Span]) -> bool:
    last = len(term.parts) - 1
    if len(ahead) <= last:
        return False
    if any(ahead[index].word != part for index, part in enumerate(term.parts[:-1])):
        return False
    return ahead[last].word.startswith(term.parts[-1]) if term.is_prefix else ahead[last].word == term.parts[-1]


def _window(text: str, match: Place) -> Place:
    start, end = match
    before = list(_CHUNK.finditer(text, max(0, start - _REACH), start))
    left = before[-WORDS_BEFORE - 1 :]
    begin = left[0].start() if left else start
    after = list(_CHUNK.finditer(text, start, end + _REACH))[: WORDS_MAX - max(0, len(left) - 1)]
    stop = max(end, after[-1].end()) if after else end
    return max(begin, start - 4 * _SIDE), min(stop, end + 4 * _SIDE)


def _marked(text: str, start: int, end: int, places: Sequence[Place]) -> str:
    pieces: list[str] = []
    at = start
    for place_start, place_end in places:
        pieces += [_clean(text[at:place_start]), MATCH_START, _clean(text[place_start:place_end]), MATCH_END]
        at = place_end
    pieces.append(_clean(text[at:end]))
    return "".join(pieces).strip()


def _clean(text: str) -> str:
    return _NOT_SHOWN.sub(" ", text)
