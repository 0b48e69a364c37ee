"""What the generators share: write a file, or with `--check` say that it is stale."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def settle(files: Mapping[str, str]) -> int:
    """Write `files` (path from the root → text); with `--check` only compare. Returns the exit code."""
    is_check = "--check" in sys.argv[1:]
    stale = [path for path, text in files.items() if not _is_current(ROOT / path, text)]
    for path in stale:
        if is_check:
            print(f"{path} is stale: run `make gen`", file=sys.stderr)
        else:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(files[path], "utf-8")
            print(f"wrote {path}")
    return 1 if is_check and stale else 0


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text("utf-8") == text
