"""The members of a message as its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from specloop.record.traces.conversation.model import MessagePart, PartKind
from specloop.record.traces.conversation.values import (
    EMPTY,
    Members,
    first,
    items_of,
    mapping_of,
    members_of,
    value_of,
    written,
)

_KINDS: Mapping[str, PartKind] = {
    **dict.fromkeys(("text", "input_text", "output_text", "refusal"), "text"),
    **dict.fromkeys(("reasoning", "thinking"), "reasoning"),
    **dict.fromkeys(("tool_call", "tool-call", "tool_use", "function_call"), "tool_call"),
    **dict.fromkeys(("tool_call_response", "tool-result", "tool_result", "function_call_output"), "tool_result"),
    **dict.fromkeys(("image", "image_url", "image-url", "input_image", "blob", "file", "uri", "audio"), "media"),
}
_BLOCKS = {
    "toolUse": "tool_use",
    "toolResult": "tool_result",
    "functionCall": "function_call",
    "function_call": "function_call",
    "functionResponse": "tool_result",
    "function_response": "tool_result",
}
_TEXTS = ("content", "text", "refusal")


def kind_of(item: Any) -> PartKind | None:
    """The kind of part that a JSON value says it is; a text part must have its text."""
    members = block_of(item)
    kind = _KINDS.get(str(members.get("type", "")))
    if kind == "text" and not any(isinstance(members.get(key), str) for key in _TEXTS):
        return None
    return kind


def block_of(item: Any) -> Members:
    """A part with its `type`, also where the only member is named for it: `{"toolUse": {…}}` (Bedrock, Gemini)."""
    members = members_of(item)
    members = members_of(members.get("message_content")) or members
    for key in members if len(members) == 1 else ():
        if key in _BLOCKS and isinstance(members[key], dict):
            return {**members[key], "type": _BLOCKS[key]}
    return members


def parts_of(content: Any) -> Iterator[MessagePart]:
    """The parts of a message. A text is parsed only if it is a list of parts and nothing else; else it is the text."""
    if isinstance(content, str):
        items = items_of(value_of(content))
        if items and all(kind_of(item) for item in items):
            yield from map(_part, items)
        elif content:
            yield MessagePart("text", content)
    elif isinstance(content, list):
        for item in cast("list[Any]", content):
            if item not in EMPTY:
                yield MessagePart("text", item) if isinstance(item, str) else _part(item)
    elif content not in EMPTY:
        yield _part(content)


def _part(item: Any) -> MessagePart:
    members = block_of(item)
    match kind_of(item):
        case "text":
            return MessagePart("text", text_of(first(members, *_TEXTS)))
        case "reasoning":
            return MessagePart("reasoning", text_of(first(members, "content", "thinking", "text", "summary")))
        case "tool_call":
            return _call(members)
        case "tool_result":
            content = value_of(first(members, "response", "result", "output", "content"))
            return MessagePart("tool_result", content, _name(members), _call_id(members))
        case "media":
            return MessagePart("media", dict(members))
        case None:
            return MessagePart("text", _only_text(members) or written(members or item))


def _only_text(members: Members) -> str:
    """The text of a part that has nothing else but a type of its own."""
    rest = [value for key, value in members.items() if key != "type"]
    is_text = len(rest) == 1 and ("text" in members or "content" in members)
    return rest[0] if is_text and isinstance(rest[0], str) else ""


def text_of(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(text_of(first(block_of(item), *_TEXTS) or item) for item in cast("list[Any]", value))
    return value if isinstance(value, str) else "" if value is None else written(value)


def calls_of(value: Any) -> Iterator[MessagePart]:
    for item in items_of(value_of(value)):
        members = mapping_of(item)
        if members:
            yield _call(mapping_of(members.get("tool_call")) or members)


def _call(members: Members) -> MessagePart:
    function = mapping_of(members.get("function")) or members
    keys = ("arguments", "args", "input", "parameters")
    arguments = next((function[key] for key in keys if key in function), None)
    return MessagePart("tool_call", value_of(arguments), _name(function), _call_id(members))


def _name(members: Members) -> str:
    return str(first(members, "name", "toolName") or "")


def _call_id(members: Members) -> str:
    keys = ("tool_call_id", "toolCallId", "call_id", "tool_use_id", "toolUseId")
    return str(first(members, "id", *keys) or "")
