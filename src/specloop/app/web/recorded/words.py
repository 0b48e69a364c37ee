"""Stored text made fit to be shown: no control characters, no invisible ones that turn text around. Pure."""

from __future__ import annotations

import re
from typing import Final

_ANSI: Final = re.compile(r"\x1b(?:\[[0-9;:?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HALVES: Final = re.compile("[\ud800-\udfff]")
_TURNING: Final = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_MARKS: Final = re.compile(r"^[#>*\-\s`_]+|`{1,3}|\*\*|(?<![^\W_])_(?=\S)|(?<=\S)_(?![^\W_])")
_SPACE: Final = re.compile(r"\s+")
TITLE_MAX: Final = 90


def plain(text: str) -> str:
    """`text` without terminal codes and control characters; characters that turn the order of text around are named.

    A hidden override can make code read as something that it is not, so readers see its number instead.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _HALVES.sub("\ufffd", _ANSI.sub("", text.replace("\r\n", "\n")))
    return _TURNING.sub(lambda match: f"\u27e8U+{ord(match[0]):04X}\u27e9", _CONTROL.sub("", text))


def one_line(text: str, length: int = TITLE_MAX) -> str:
    """The first line of `text` that says something, without markup, cut at a word."""
    head = plain(text[: length * 20])
    lines = (_SPACE.sub(" ", _MARKS.sub("", line)).strip() for line in head.splitlines())
    line = next((line for line in lines if any(map(str.isalnum, line))), "")
    if len(line) <= length:
        return line
    return line[:length].rpartition(" ")[0].rstrip(" ,.;:") + "…" if " " in line[:length] else line[:length] + "…"


def squeezed(text: str, length: int) -> str:
    """`text` in one line of at most `length` characters, spelt as it is."""
    line = _SPACE.sub(" ", plain(text[: length * 20])).strip()
    return line if len(line) <= length else line[: length - 1] + "…"


def whole(text: str, otherwise: int = 0) -> int:
    """The number that `text` writes in plain digits; `otherwise` for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else otherwise
