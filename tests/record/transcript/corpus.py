"""Finds transcripts of real sessions to test with, and counts their messages in a second, simpler way.

The files are other people's and too large to ship: `SPECLOOP_TEST_SESSIONS` names a folder of them, by default a
folder beside the checkout. The small files in `data` are always there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

OWN = Path(__file__).parent / "data"
_BESIDE = Path(__file__).parents[4] / "shared" / "data" / "sessions" / "history"
REAL = Path(os.environ.get("SPECLOOP_TEST_SESSIONS") or _BESIDE)

_TOOL = re.compile(
    r"(?<=\n\n)<tool-use[ >].*?^</details></tool-use>\n(?=\n(?:---\n\n)?_\*\*|\n*\Z)", re.DOTALL | re.MULTILINE
)
_THINKING = re.compile(r"^<think>.*?</details></think>$", re.DOTALL | re.MULTILINE)
_HEADER = re.compile(r"^_\*\*(?:User|Agent)[^\n]*\*\*_$", re.MULTILINE)


def real_files() -> list[Path]:
    """The transcripts of real sessions on this machine, none when the folder is absent."""
    return sorted(REAL.glob("*.md")) if REAL.is_dir() else []


def count_headers(text: str) -> int:
    """How many speaker headers a v2.1 file has outside tools, thinking and fences of three marks or more.

    By plain substitution: whole tool blocks and thoughts go first, then fences, a header ending any that is open.
    """
    outside = _THINKING.sub("", _TOOL.sub("", text))
    count, marks = 0, ""
    for line in outside.split("\n"):
        run = line[: len(line) - len(line.lstrip("`"))]
        if _HEADER.match(line) and not _is_closed(outside, marks):
            count, marks = count + 1, ""
        elif len(run) >= 3:
            marks = run if not marks else ("" if len(run) >= len(marks) and line == run else marks)
    return count


def _is_closed(text: str, marks: str) -> bool:
    """Whether an open fence of four marks or more, which only a formatter writes, is closed somewhere."""
    return len(marks) > 3 and f"\n{marks}\n" in text
