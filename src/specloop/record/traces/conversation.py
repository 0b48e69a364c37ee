"""What was said in a span, in one form, whatever convention the sender speaks (spectral.md §6.2, content).

Read when a span is shown; nothing of it is stored a second time. Every reader takes what it understands and leaves the
rest: a value of an unknown form becomes a message with its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from specloop.kit import json
from specloop.record.traces.model import Span

PartKind = Literal["text", "reasoning", "tool_call", "tool_result", "media"]


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One piece of a message. `name` and `call_id` belong to tool calls and results, `content` is text or JSON."""

    kind: PartKind
    content: Any
    name: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Who said what: `role` is system, user, assistant, tool, or what the sender called it."""

    role: str
    parts: Sequence[MessagePart]
    is_output: bool = False


def messages_of(span: Span) -> list[ChatMessage]:
    """The messages of `span` in the order in which they were said, what went in before what came out."""
    attributes = span.attributes
    for read in (_structured, _indexed, _from_events, _vendor, _plain):
        found = list(read(span, attributes))
        if found:
            return found
    return []


_INPUTS = ("gen_ai.input.messages", "pydantic_ai.all_messages", "all_messages_events", "ai.prompt.messages")
_OUTPUTS = ("gen_ai.output.messages",)


def _structured(span: Span, attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    """OpenTelemetry's current form, Pydantic AI, Vercel: lists of messages, structured or as JSON text."""
    yield from _system(attributes.get("gen_ai.system_instructions"))
    for key in _INPUTS:
        if key in attributes:
            yield from _messages(attributes[key], is_output=False)
            break
    for key in _OUTPUTS:
        yield from _messages(attributes.get(key), is_output=True)
    if "ai.prompt.messages" in attributes:
        yield from _vercel_output(attributes)
    for event in span.events:
        if event.name == "gen_ai.client.inference.operation.details":
            yield from _structured_event(event.attributes)


def _structured_event(attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    yield from _system(attributes.get("gen_ai.system_instructions"))
    yield from _messages(attributes.get("gen_ai.input.messages"), is_output=False)
    yield from _messages(attributes.get("gen_ai.output.messages"), is_output=True)


_KEYS = re.compile(
    r"(gen_ai\.prompt|gen_ai\.completion|llm\.input_messages|llm\.output_messages|llm\.prompts|llm\.completions)"
    r"\.(\d+)\.(.+)"
)


def _indexed(span: Span, attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    """Messages spread over attributes: Traceloop's `gen_ai.prompt.N.*`, OpenInference's `llm.input_messages.N.*`."""
    groups: dict[tuple[bool, int], dict[str, Any]] = {}
    for key, value in attributes.items():
        match = _KEYS.fullmatch(key)
        if match is not None:
            is_output = match[1] in {"gen_ai.completion", "llm.output_messages", "llm.completions"}
            member = match[3].removeprefix("message.").removeprefix("prompt.").removeprefix("completion.")
            groups.setdefault((is_output, int(match[2])), {})[member] = value
    for (is_output, _), members in sorted(groups.items(), key=lambda item: item[0]):
        yield _message(_nested(members), is_output=is_output)


def _nested(members: Mapping[str, Any]) -> dict[str, Any]:
    """`{"tool_calls.0.name": "f"}` as `{"tool_calls": {"0": {"name": "f"}}}`; numbered members become lists."""
    tree: dict[str, Any] = {}
    for key, value in members.items():
        *path, last = key.split(".")
        place = tree
        for step in path:
            inner = place.setdefault(step, {})
            if not isinstance(inner, dict):
                break
            place = cast("dict[str, Any]", inner)
        else:
            place[last] = value
    return {key: _listed(value) for key, value in tree.items()}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    members = {key: _listed(item) for key, item in cast("dict[str, Any]", value).items()}
    if members and all(key.isdigit() for key in members):
        return [members[key] for key in sorted(members, key=int)]
    return members


_ROLE_OF_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")


def _from_events(span: Span, attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    """The older form of OpenTelemetry: one event per message, and `gen_ai.choice` for answers."""
    for event in span.events:
        match = _ROLE_OF_EVENT.fullmatch(event.name)
        body = {**event.attributes, **_mapping(event.attributes.get("body"))}
        if match is not None:
            yield _message({"role": match[1], **body}, is_output=False)
        elif event.name == "gen_ai.choice":
            message = _mapping(body.get("message")) or {"content": body.get("message", body.get("content"))}
            yield _message({"role": "assistant", **body, **message}, is_output=True)
        elif event.name in {"gen_ai.content.prompt", "gen_ai.content.completion"}:
            is_output = event.name.endswith("completion")
            value = event.attributes.get("gen_ai.completion" if is_output else "gen_ai.prompt")
            yield from _messages(value, is_output=is_output)


_PAIRS = (
    ("langfuse.observation.input", "langfuse.observation.output"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("mlflow.spanInputs", "mlflow.spanOutputs"),
    ("gen_ai.prompt", "gen_ai.completion"),
    ("lk.chat_ctx", "lk.response.text"),
    ("lk.user_transcript", "lk.response.text"),
    ("ai.prompt", "ai.response.text"),
)


def _vendor(span: Span, attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    """One attribute for what went in, one for what came out."""
    for source, target in _PAIRS:
        if source in attributes or target in attributes:
            yield from _messages(attributes.get(source), is_output=False)
            if target == "ai.response.text":
                yield from _vercel_output(attributes)
            else:
                yield from _messages(attributes.get(target), is_output=True)
            return


def _plain(span: Span, attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    """Tool calls, and OpenInference's `input.value` and `output.value`."""
    arguments = next((attributes[key] for key in _TOOL_INPUTS if key in attributes), None)
    result = next((attributes[key] for key in _TOOL_OUTPUTS if key in attributes), None)
    genai = span.genai
    if genai.tool_name and (arguments is not None or result is not None):
        call = MessagePart("tool_call", _value(arguments), genai.tool_name, genai.tool_call_id)
        yield ChatMessage("assistant", (call,))
        if result is not None:
            part = MessagePart("tool_result", _value(result), genai.tool_name, genai.tool_call_id)
            yield ChatMessage("tool", (part,), is_output=True)
        return
    yield from _messages(attributes.get("input.value"), is_output=False)
    yield from _messages(attributes.get("output.value"), is_output=True)


_TOOL_INPUTS = ("gen_ai.tool.call.arguments", "tool.parameters", "tool_arguments", "ai.toolCall.args", "input.value")
_TOOL_OUTPUTS = ("gen_ai.tool.call.result", "tool_response", "ai.toolCall.result", "output.value")


def _vercel_output(attributes: Mapping[str, Any]) -> Iterator[ChatMessage]:
    parts: list[MessagePart] = []
    if attributes.get("ai.response.text"):
        parts.append(MessagePart("text", attributes["ai.response.text"]))
    if attributes.get("ai.response.object"):
        parts.append(MessagePart("text", attributes["ai.response.object"]))
    parts += _calls(attributes.get("ai.response.toolCalls"))
    if parts:
        yield ChatMessage("assistant", tuple(parts), is_output=True)


def _system(value: Any) -> Iterator[ChatMessage]:
    found = _value(value)
    if found:
        items = cast("list[Any]", found) if isinstance(found, list) else [found]
        yield ChatMessage("system", tuple(part for item in items for part in _parts(item)))


def _messages(value: Any, *, is_output: bool) -> Iterator[ChatMessage]:
    """Whatever `value` holds: a list of messages, something with such a list inside, one message, or any text."""
    found = _value(value)
    if found in (None, "", [], {}):
        return
    role = "assistant" if is_output else "user"
    match found:
        case list() if all(_is_message(item) for item in cast("list[Any]", found)):
            for item in cast("list[dict[str, Any]]", found):
                yield _message(item, is_output=is_output)
        case dict() if _is_message(found):  # pyright: ignore[reportUnknownArgumentType]
            yield _message(cast("dict[str, Any]", found), is_output=is_output)
        case dict() if inner := _inner(cast("dict[str, Any]", found)):
            yield from _messages(inner, is_output=is_output or "choices" in found)
        case _:
            yield ChatMessage(role, tuple(_parts(found)), is_output)


def _inner(members: Mapping[str, Any]) -> list[Any]:
    """The messages inside a request or an answer of the usual clients."""
    for key in ("messages", "items"):
        if isinstance(members.get(key), list):
            return members[key]
    choices = members.get("choices")
    answers = cast("list[Any]", choices) if isinstance(choices, list) else []
    return [_mapping(one).get("message", one) for one in answers]


def _is_message(value: Any) -> bool:
    members = _mapping(value)
    return bool(members) and "role" in members and bool({"content", "parts", "tool_calls"} & members.keys())


def _message(members: Mapping[str, Any], *, is_output: bool) -> ChatMessage:
    role = str(members.get("role") or ("assistant" if is_output else "user"))
    call_id = str(members.get("tool_call_id") or members.get("id") or "")
    parts: list[MessagePart] = []
    content = next((members[key] for key in ("parts", "content", "contents") if members.get(key)), None)
    if role == "tool" and not _has_kinds(_value(content)):
        parts.append(MessagePart("tool_result", _value(content), str(members.get("name") or ""), call_id))
    else:
        parts += _content(content)
    parts += _calls(members.get("tool_calls"))
    return ChatMessage(role, tuple(parts), is_output)


def _content(content: Any) -> Iterator[MessagePart]:
    found = _value(content) if isinstance(content, str) and content[:1] in "[{" else content
    for item in cast("list[Any]", found) if isinstance(found, list) else [found]:
        if item not in (None, ""):
            yield from _parts(item)


def _has_kinds(value: Any) -> bool:
    return isinstance(value, list) and any("type" in _mapping(item) for item in cast("list[Any]", value))


def _parts(item: Any) -> Iterator[MessagePart]:
    members = _mapping(item)
    members = _mapping(members.get("message_content")) or members
    match str(members.get("type", "")):
        case "text" | "input_text" | "output_text":
            yield MessagePart("text", members.get("content", members.get("text", "")))
        case "reasoning" | "thinking":
            yield MessagePart("reasoning", members.get("content", members.get("thinking", members.get("text", ""))))
        case "tool_call" | "tool-call" | "tool_use" | "function_call":
            yield _call(members)
        case "tool_call_response" | "tool-result" | "tool_result" | "function_call_output":
            keys = ("response", "result", "output", "content")
            content = next((members[key] for key in keys if key in members), None)
            yield MessagePart("tool_result", _value(content), _name(members), _call_id(members))
        case "image" | "image_url" | "blob" | "file" | "uri" | "audio" | "input_image" | "image-url":
            yield MessagePart("media", dict(members))
        case _ if not members:
            yield MessagePart("text", item if isinstance(item, str) else json.dumps(item).decode())
        case _:
            text = members.get("text", members.get("content"))
            whole = json.dumps(dict(members)).decode()
            yield MessagePart("text", text if isinstance(text, str) and len(members) <= 2 else whole)


def _calls(value: Any) -> Iterator[MessagePart]:
    found = _value(value)
    for item in cast("list[Any]", found) if isinstance(found, list) else ():
        members = _mapping(item)
        yield _call(_mapping(members.get("tool_call")) or members)


def _call(members: Mapping[str, Any]) -> MessagePart:
    function = _mapping(members.get("function")) or members
    keys = ("arguments", "args", "input", "parameters")
    arguments = next((function[key] for key in keys if key in function), None)
    return MessagePart("tool_call", _value(arguments), _name(function), _call_id(members))


def _name(members: Mapping[str, Any]) -> str:
    return str(members.get("name") or members.get("toolName") or "")


def _call_id(members: Mapping[str, Any]) -> str:
    keys = ("id", "tool_call_id", "toolCallId", "call_id", "tool_use_id")
    return str(next((members[key] for key in keys if members.get(key)), ""))


def _mapping(value: Any) -> Mapping[str, Any]:
    found = _value(value) if isinstance(value, str) else value
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}


def _value(value: Any) -> Any:
    """The JSON value that a text holds, if it holds an object or a list; else the value itself."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value
