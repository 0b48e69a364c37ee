"""Which parts of a text the betterleaks rules can say anything about at all.

Each rule names keywords without which it does not run. The library applies them to a whole text, so one "key"
somewhere makes many rules run over everything; applied to lines they leave a small part of a transcript to scan. The
rules are read from the library itself, so that the two never differ; a library they cannot be read from is fed all.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

CONTEXT_LINES = 6
"""Lines kept around a keyword: rules reach over 5, and their required companions stand within 5."""
BLOCK_LINES = 200
"""Lines kept below the first one of a key in PEM."""
SIGN_BYTES = 3
_GAP = b"\n" * 8
"""Between lines that did not stand together: more than rules reach over."""
_BLOCK_START = b"-----begin"
_STEP_BYTES = 1 << 20
_RULES_START = b"\n[[rules]]\n"
_KEYWORDS = re.compile(rb"^keywords = \[(.*?)\]", re.DOTALL | re.MULTILINE)
_REGEX = re.compile(rb"^regex = '''(.*?)'''", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(rb'"([^"\n]+)"')
_RULES_MIN = 100
_RARE = b"zqxjkvbpygfwmucldrhsnioate"
"""Letters from rare to frequent in English; what is no letter is rarer still."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Keywords that stand in what their rule matches or close to it, and those that may stand anywhere in the text."""

    near: frozenset[bytes]
    far: frozenset[bytes]


def load_rules(library: Path) -> Rules | None:
    """The keywords of the rules inside the library; None when they are not found there."""
    try:
        blocks = library.read_bytes().split(_RULES_START)[1:]
    except OSError:
        return None
    if len(blocks) < _RULES_MIN:
        return None
    near, far = set[bytes](), set[bytes]()
    for block in blocks:
        keywords, regex = _KEYWORDS.search(block), _REGEX.search(block)
        if not regex:
            continue  # a rule about file names
        if not keywords:
            return None  # a rule that runs always needs all
        pattern = regex[1].lower().replace(b"\\", b"")
        for word in _QUOTED.findall(keywords[1]):
            (near if word[:SIGN_BYTES] in pattern else far).add(word.lower())
    if min(map(len, near | far)) < SIGN_BYTES:
        return None
    return Rules(frozenset(near), frozenset(far))


class KeywordFilter:
    """Picks the lines around keywords: three rare characters of each are looked for everywhere at once, then the rest
    of the keyword where they stand."""

    def __init__(self, rules: Rules) -> None:
        self._far = rules.far
        self._signs = np.zeros(1 << 24, dtype=np.bool_)
        self._words = defaultdict[bytes, list[tuple[bytes, int]]](list)
        for word in sorted(rules.near | rules.far):
            at = _rarest(word)
            sign = word[at : at + SIGN_BYTES]
            self._signs[sign[0] | sign[1] << 8 | sign[2] << 16] = True
            self._words[sign].append((word, at))

    def relevant(self, text: str) -> str:
        """The lines that a rule may match, with those around them; empty when there is none."""
        body = text.encode("utf-8", "replace")
        lowered = body.lower()
        hits = {place: word for place in self._signs_in(lowered) if (word := self._word_at(lowered, place))}
        if not hits:
            return ""
        if not self._far.isdisjoint(hits.values()):
            return text
        line_ends = np.flatnonzero(np.frombuffer(lowered, np.uint8) == ord("\n"))
        lines = body.split(b"\n")
        kept = np.zeros(len(lines), dtype=np.bool_)
        for at, word in zip(np.searchsorted(line_ends, list(hits)).tolist(), hits.values(), strict=True):
            kept[max(at - CONTEXT_LINES, 0) : at + 1 + (BLOCK_LINES if word == _BLOCK_START else CONTEXT_LINES)] = True
        return _GAP.join(b"\n".join(lines[first:end]) for first, end in _runs(kept)).decode()

    def _signs_in(self, lowered: bytes) -> Iterator[int]:
        for start in range(0, len(lowered), _STEP_BYTES):
            codes = np.frombuffer(lowered[start : start + _STEP_BYTES + SIGN_BYTES - 1], np.uint8).astype(np.uint32)
            signs = codes[:-2] | (codes[1:-1] << np.uint32(8)) | (codes[2:] << np.uint32(16))
            yield from (np.flatnonzero(self._signs[signs]) + start).tolist()

    def _word_at(self, lowered: bytes, place: int) -> bytes | None:
        for word, at in self._words[lowered[place : place + SIGN_BYTES]]:
            if place >= at and lowered.startswith(word, place - at):
                return word
        return None


def _runs(kept: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """(first, end) of each row of lines that are kept."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], kept, [False])).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)


def _rarest(word: bytes) -> int:
    """Where the three neighbouring characters of a word begin that text holds least often."""
    places = range(len(word) - SIGN_BYTES + 1)
    return min(places, key=lambda at: sum(_RARE.find(bytes([each])) for each in word[at : at + SIGN_BYTES]))
