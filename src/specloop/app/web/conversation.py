"""Messages of a span as a conversation: the GenAI conventions' JSON becomes roles and plain text.

Pure, and tolerant: instrumentation of every age writes these attributes, so what is not understood is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from specloop.app.web import diff
from specloop.kit import json

TEXT_MAX: Final = 20_000
ATTRIBUTES: Final = (
    ("gen_ai.system_instructions", "system"),
    ("gen_ai.input.messages", "input"),
    ("gen_ai.prompt", "input"),
    ("input.value", "input"),
    ("gen_ai.tool.call.arguments", "arguments"),
    ("gen_ai.output.messages", "output"),
    ("gen_ai.completion", "output"),
    ("output.value", "output"),
    ("gen_ai.tool.call.result", "result"),
)


def messages_of(attributes: Mapping[str, Any]) -> list[dict[str, str]]:
    """`{role, text}` for everything that was said in a span, in the order of a conversation."""
    found: list[dict[str, str]] = []
    for name, role in ATTRIBUTES:
        value = attributes.get(name)
        if value not in (None, "", [], {}):
            found += _said(_decoded(value), role)
    return found


def _decoded(value: Any) -> Any:
    """JSON in a string, as most exporters send it; other text stays text."""
    if isinstance(value, str) and value[:1] in "[{":
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _said(value: Any, role: str) -> Iterator[dict[str, str]]:
    items = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) and ("role" in item or "parts" in item) for item in items):
        yield {"role": role, "text": diff.as_text(value)[:TEXT_MAX]}
        return
    for item in cast("list[dict[str, Any]]", items):
        parts: Any = item.get("parts", item.get("content", ""))
        texts = [_part(one) for one in cast("list[Any]", parts)] if isinstance(parts, list) else [diff.as_text(parts)]
        yield {"role": str(item.get("role", role)), "text": "\n".join(texts)[:TEXT_MAX]}


def _part(part: Any) -> str:
    if not isinstance(part, dict):
        return diff.as_text(part)
    told = cast("dict[str, Any]", part)
    match told.get("type"):
        case "text" | "reasoning":
            return diff.as_text(told.get("content", told.get("text", "")))
        case "tool_call":
            return f"{told.get('name', 'tool')}({_arguments(told.get('arguments'))})"
        case "tool_call_response":
            return diff.as_text(told.get("response", told.get("result", "")))
        case _:
            return diff.as_text(told)


def _arguments(given: Any) -> str:
    value = _decoded(given)
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return ", ".join(f"{name}={json.dumps(one).decode()}" for name, one in pairs.items())
    return diff.as_text(value)
