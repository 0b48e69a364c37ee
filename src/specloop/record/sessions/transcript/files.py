"""Which files a session touched: from path hints, tool inputs and patches, relative to the workspace where possible."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, cast

from specloop.record.sessions.transcript.model import Message, Tool

PATH_LENGTH_MAX = 1000
"""Bytes; a longer text is no path, and would not fit an index."""
_STEPS_MAX = 12
_VOTES_MIN = 2
_FILE_KEYS = ("file_path", "filePath", "notebook_path", "path", "target_file", "relative_workspace_path", "filename")
_FILE_LIST_KEYS = ("paths", "files", "edits", "changes")
_FILE_KINDS = frozenset({"write", "read"})
_PATCH_KEYS = ("patch", "input", "command", "cmd", "diff")
_PATCH_HEADER = re.compile(r"^\*\*\* (?:(?:Add|Update|Delete) File|Move to): ([^\n]{1,1024})$", re.MULTILINE)
_WINDOWS_ROOT = re.compile(r"[A-Za-z]:[\\/]")


def files_of(message: Message, workspace_root: str | None) -> Iterator[str]:
    """The paths one message touches, as often as it names them."""
    for path in (*message.path_hints, *(_tool_paths(message.tool) if message.tool else ())):
        tidy = tidy_path(path, workspace_root)
        if tidy:
            yield tidy


def tidy_path(path: str, workspace_root: str | None) -> str | None:
    """The path below the workspace root without it, any other as it is; None for what is no path of a file."""
    text = path.strip().removeprefix("file://")
    if (
        not text
        or len(text.encode("utf-8", "replace")) > PATH_LENGTH_MAX
        or "\n" in text
        or "\0" in text
        or "://" in text
    ):
        return None
    slashed = _slashed(text)
    root = _slashed(workspace_root or "").rstrip("/")
    if root and slashed.startswith(root + "/"):
        slashed = slashed[len(root) + 1 :]
    tidy = str(PurePosixPath(slashed))
    return None if tidy in {".", "/"} or tidy == root else tidy


def guess_root(paths: Iterable[str]) -> str | None:
    """The folder below which relative paths and absolute ones name the same files, None when too little says so.

    Every absolute path that ends in one of the relative paths votes for what stands before; two votes decide, or
    one of a path that is deep enough to be no coincidence.
    """
    known = set(paths)
    votes: Counter[str] = Counter()
    for path in known:
        if path.startswith("/"):
            steps = path.split("/")
            for cut in range(max(len(steps) - _STEPS_MAX, 2), len(steps)):
                if "/".join(steps[cut:]) in known:
                    votes["/".join(steps[:cut])] += min(len(steps) - cut, 2)
    best = max(votes.items(), key=lambda vote: (vote[1], vote[0]), default=None)
    return best[0] if best and best[1] >= _VOTES_MIN else None


def _slashed(path: str) -> str:
    """Windows paths with `/`; a backslash in any other path is a character of its name."""
    return path.replace("\\", "/") if _WINDOWS_ROOT.match(path) else path


def _tool_paths(tool: Tool) -> Iterator[str]:
    if tool.kind in _FILE_KINDS:
        yield from _texts(tool.input, _FILE_KEYS)
        for key in _FILE_LIST_KEYS:
            yield from _listed(tool.input.get(key))
    yield from _patched(tool)


def _texts(source: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        value = source.get(key)
        if isinstance(value, str):
            yield value


def _listed(value: object) -> Iterator[str]:
    """Paths in a list of paths or of objects that name one, or in the keys of a mapping from path to change."""
    if isinstance(value, Mapping):
        yield from (key for key in cast("Mapping[object, object]", value) if isinstance(key, str))
    if isinstance(value, list):
        for each in cast("list[object]", value):
            if isinstance(each, str):
                yield each
            elif isinstance(each, Mapping):
                yield from _texts(cast("Mapping[str, Any]", each), _FILE_KEYS)


def _patched(tool: Tool) -> Iterator[str]:
    """The files in the headers of an `apply_patch` text, which may be a tool's input or inside a shell command."""
    for key in _PATCH_KEYS:
        text = tool.input.get(key)
        if isinstance(text, str) and "*** " in text:
            yield from _PATCH_HEADER.findall(text)
