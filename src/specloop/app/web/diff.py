"""Turns a pair of texts, or a unified diff, into rows a template can draw: numbers, sign, and the words that changed.

Pure; it must not know where the texts come from.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

RowKind = Literal["add", "del", "same", "gap"]
SMALL_CHARACTERS = 24
_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")


@dataclass(frozen=True)
class Piece:
    """A run of text inside a line; `changed` marks the words that differ from the other side."""

    text: str
    changed: bool = False


@dataclass(frozen=True)
class Row:
    """One line of a diff; a `gap` row stands for lines left out and carries only `pieces`."""

    kind: RowKind
    pieces: tuple[Piece, ...]
    old: int | None = None
    new: int | None = None

    @property
    def sign(self) -> str:
        """The sign in front of the line, so that colour is never the only carrier."""
        return {"add": "+", "del": "\u2212"}.get(self.kind, "")


def as_text(value: Any) -> str:
    """A configuration value as the lines that are compared: text as it is, the rest as indented JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def is_small(value: Any) -> bool:
    """Whether a value fits into a cell of a table: a number, a yes or no, a short line, or nothing."""
    if isinstance(value, list | dict):
        return False
    text = as_text(value)
    return len(text) <= SMALL_CHARACTERS and "\n" not in text


def rows_between(before: Any, after: Any, context: int = 3) -> list[Row]:
    """The rows of the unified diff between two values."""
    lines = difflib.unified_diff(as_text(before).splitlines(), as_text(after).splitlines(), lineterm="", n=context)
    return rows_of_unified("\n".join(lines))


def rows_of_unified(text: str) -> list[Row]:
    """The rows of a unified diff; file headers are dropped, unknown lines count as context."""
    rows: list[Row] = []
    old = new = 1
    for line in text.splitlines():
        if line.startswith(("--- ", "+++ ")) and not rows:
            continue
        if hunk := _HUNK.match(line):
            old, new = int(hunk[1]), int(hunk[2])
            if old > 1 or rows:
                rows.append(Row("gap", (Piece(f"line {new}"),)))
        elif line.startswith("+"):
            rows.append(Row("add", (Piece(line[1:]),), None, new))
            new += 1
        elif line.startswith("-"):
            rows.append(Row("del", (Piece(line[1:]),), old, None))
            old += 1
        else:
            rows.append(Row("same", (Piece(line[1:]),), old, new))
            old, new = old + 1, new + 1
    return list(_with_words(rows))


def _with_words(rows: Sequence[Row]) -> Iterator[Row]:
    """Marks the changed words where a block of removed lines is answered by a block of added ones."""
    index = 0
    while index < len(rows):
        removed = _run(rows, index, "del")
        added = _run(rows, index + len(removed), "add")
        if not removed and not added:
            yield rows[index]
            index += 1
            continue
        index += len(removed) + len(added)
        pairs = [_pair(one, other) for one, other in zip(removed, added, strict=False)]
        yield from (pair[0] for pair in pairs)
        yield from removed[len(pairs) :]
        yield from (pair[1] for pair in pairs)
        yield from added[len(pairs) :]


def _run(rows: Sequence[Row], start: int, kind: RowKind) -> list[Row]:
    end = start
    while end < len(rows) and rows[end].kind == kind:
        end += 1
    return list(rows[start:end])


def _pair(old: Row, new: Row) -> tuple[Row, Row]:
    """Two lines with their differing words marked; lines that share little are left unmarked, for calm."""
    before, after = _WORD.findall(old.pieces[0].text), _WORD.findall(new.pieces[0].text)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < 0.4:
        return old, new
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        left += _piece(before[i1:i2], tag != "equal")
        right += _piece(after[j1:j2], tag != "equal")
    return Row("del", tuple(left), old.old, None), Row("add", tuple(right), None, new.new)


def _piece(words: Sequence[str], changed: bool) -> list[Piece]:
    return [Piece("".join(words), changed)] if words else []
