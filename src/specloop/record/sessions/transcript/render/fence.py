"""Code in markdown: fences and inline code that their content cannot close."""

from __future__ import annotations

import re

_RUN = re.compile(r"`+")


def fence(text: str, language: str = "") -> str:
    """`text` in a fence longer than any run of backticks inside, at least three (specstory.md §7.2)."""
    marks = "`" * max(3, _longest_run(text) + 1)
    return f"{marks}{language}\n{text.removesuffix(chr(10))}\n{marks}"


def inline(text: str) -> str:
    """`text` as inline code on one line."""
    flat = " ".join(text.splitlines())
    longest = _longest_run(flat)
    if longest == 0:
        return f"`{flat}`"
    marks = "`" * (longest + 1)
    return f"{marks} {flat} {marks}"


def _longest_run(text: str) -> int:
    if "`" not in text:
        return 0
    return max(map(len, _RUN.findall(text)))
