"""The body of a tool call that no formatter knows: its input as a list, its result in a fence (specstory.md §7.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from specloop.kit.json import dumps
from specloop.record.sessions.transcript.failures import output_text
from specloop.record.sessions.transcript.model import Tool
from specloop.record.sessions.transcript.render.fence import fence, inline


def generic_body(tool: Tool) -> str:
    """`**Input:**` sorted by key without the `_` keys, then `**Result:**` or `**Error:**`."""
    blocks: list[str] = []
    items = list(_items(tool.input))
    if items:
        blocks.append("**Input:**\n\n" + "\n".join(items))
    if tool.output is not None:
        label = "Error" if tool.is_error else "Result"
        blocks.append(f"**{label}:**\n\n{fence(output_text(tool.output) or _rest(tool.output))}")
    return "\n" + "\n\n".join(blocks) + "\n" if blocks else ""


def _items(source: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(source):
        if not key.startswith("_"):
            value = as_text(source[key])
            yield f"- {key}:\n\n{fence(value)}\n" if "\n" in value else f"- {key}: {inline(value)}"


def _rest(output: Mapping[str, Any]) -> str:
    """An output without a text of its own, as JSON; a bare flag says nothing."""
    known = {key: value for key, value in output.items() if key not in {"content", "is_error"}}
    return as_text(known) if known else ""


def as_text(value: Any) -> str:
    """A value as a reader wants it: a text as it is, everything else as JSON; values too deep for JSON as "…"."""
    if isinstance(value, str):
        return value
    try:
        return dumps(value).decode("utf-8")
    except TypeError:
        return "…"
