"""Finds the git branches that a raw session log names, without parsing the log: it may be large and redacted."""

from __future__ import annotations

import re

from specloop.kit.json import JSONDecodeError, loads

BRANCHES_MAX = 100
"""More branches than a session can visit; a hostile log must not fill the index."""

_QUOTED = rb'("(?:[^"\\]|\\.){1,300}")'
_BRANCH = re.compile(rb'"gitBranch"\s*:\s*' + _QUOTED + rb'|"git"\s*:\s*\{[^{}]{0,1000}?"branch"\s*:\s*' + _QUOTED)


def branches_in_raw(raw: bytes) -> tuple[str, ...]:
    """Branch names in order of first appearance: Claude's `gitBranch`, Codex's `git.branch` (specstory.md §8.3).

    A detached head is no branch. Looks at every byte once.
    """
    found: dict[str, None] = {}
    for quoted in dict.fromkeys(match[1] or match[2] for match in _BRANCH.finditer(raw)):
        name = _unquoted(quoted)
        if name and name != "HEAD":
            found[name] = None
        if len(found) == BRANCHES_MAX:
            break
    return tuple(found)


def _unquoted(quoted: bytes) -> str:
    try:
        return str(loads(quoted)).replace("\0", "").strip()
    except JSONDecodeError:
        return ""
