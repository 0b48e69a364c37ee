"""Tells a failed tool call from a successful one, by what different agents put into its result."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

_HEAD_LENGTH = 600
_FAILED = re.compile(
    r"<tool_use_error>|Exit code [1-9-]|Error: |The user doesn't want to (?:proceed|take this action)"
    r"|\[Request interrupted by user|apply_patch verification failed"
)
_EXITED = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)", re.MULTILINE)
_BAD_WORDS = frozenset({"error", "failed", "failure", "cancelled", "canceled", "timeout", "denied"})


def is_failure_text(text: str) -> bool:
    """Whether a result's text begins as a failed call's does (Claude Code, Codex CLI)."""
    head = text[:_HEAD_LENGTH].lstrip()
    if _FAILED.match(head):
        return True
    exited = _EXITED.search(head)
    return exited is not None and int(exited[1][:10]) != 0


def is_failure(output: Mapping[str, Any] | None) -> bool:
    """Whether a tool's output says that the call failed; an explicit flag wins over any wording."""
    if not output:
        return False
    for key, failing in (("is_error", True), ("isError", True), ("success", False)):
        if isinstance(output.get(key), bool):
            return output[key] is failing
    exit_code = _exit_code(output)
    if exit_code is not None:
        return exit_code != 0
    if str(output.get("status", "")).lower() in _BAD_WORDS or output.get("error"):
        return True
    return is_failure_text(output_text(output))


def _exit_code(output: Mapping[str, Any]) -> int | None:
    metadata = output.get("metadata")
    places = [output, cast("Mapping[str, Any]", metadata)] if isinstance(metadata, Mapping) else [output]
    for place in places:
        for key in ("exit_code", "exitCode"):
            code = place.get(key)
            if isinstance(code, int) and not isinstance(code, bool):
                return code
    return None


def output_text(output: Mapping[str, Any] | None) -> str:
    """The readable text of a tool's output: its `content`, `output`, `result` or `error`, "" when there is none."""
    for key in ("content", "output", "result", "error", "text"):
        text = _text_of((output or {}).get(key))
        if text:
            return text
    return ""


def _text_of(value: object) -> str:
    """A text, or the texts of a list of `{type, text}` parts."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        parts = cast("list[object]", value)
        return "\n".join(text for text in map(_part_text, parts) if text)
    return ""


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        text = cast("Mapping[str, object]", part).get("text")
        return text if isinstance(text, str) else ""
    return ""
