"""What was said in a span, in one form, whatever convention the sender speaks (spectral.md §6.2, content).

Read when a span is shown; nothing of it is stored a second time. Every reader takes what it understands and leaves the
rest: a value of an unknown form becomes a message with its text, as it was sent. Nothing that a sender stores may make
this module raise, so depth and numbers in attribute names are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from specloop.kit import json
from specloop.record.traces.model import Event, Span

PartKind = Literal["text", "reasoning", "tool_call", "tool_result", "media"]
Members = Mapping[str, Any]

DEPTH_MAX = 64
"""JSON text that nests deeper stays text: nobody chats that way, and writing it again has its own limit."""
_DOTS_MAX = 16


@dataclass(frozen=True, slots=True)
class MessagePart:
    """One piece of a message. `name` and `call_id` belong to tool calls and results.

    The `content` of text and reasoning is a text; of the other kinds it is text or JSON.
    """

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
    """The messages of `span` in the order in which they were said, what went in before what came out.

    The first convention that says something is taken; instructions alone do not hide what another one says.
    """
    instructions: list[ChatMessage] = []
    for read in (_structured, _indexed, _from_events, _vendor, _plain):
        found = [message for message in read(span) if message.parts]
        if any(message.role != "system" for message in found):
            return found if found[0].role == "system" else [*instructions, *found]
        instructions = instructions or found
    return instructions


# Readers: one per way to attach a conversation to a span.

_INPUTS = ("gen_ai.input.messages", "pydantic_ai.all_messages", "all_messages_events", "ai.prompt.messages")


def _structured(span: Span) -> Iterator[ChatMessage]:
    """OpenTelemetry's current form, Pydantic AI, Vercel: lists of messages, structured or as JSON text."""
    attributes = span.attributes
    yield from _system(attributes.get("gen_ai.system_instructions"))
    yield from next(filter(None, (_messages(attributes.get(key), is_output=False) for key in _INPUTS)), ())
    yield from _messages(attributes.get("gen_ai.output.messages"), is_output=True)
    if "ai.prompt.messages" in attributes:
        yield from _vercel_output(attributes)
    for event in span.events:
        if event.name == "gen_ai.client.inference.operation.details":
            yield from _system(event.attributes.get("gen_ai.system_instructions"))
            yield from _messages(event.attributes.get("gen_ai.input.messages"), is_output=False)
            yield from _messages(event.attributes.get("gen_ai.output.messages"), is_output=True)


_KEYS = re.compile(
    r"(gen_ai\.prompt|gen_ai\.completion|llm\.input_messages|llm\.output_messages|llm\.prompts|llm\.completions)"
    r"\.([0-9]{1,6})\.(.+)",
    re.DOTALL,
)


def _indexed(span: Span) -> Iterator[ChatMessage]:
    """Messages spread over attributes: Traceloop's `gen_ai.prompt.N.*`, OpenInference's `llm.input_messages.N.*`."""
    groups: dict[tuple[bool, int], dict[str, Any]] = {}
    for key, value in span.attributes.items():
        match = _KEYS.fullmatch(key)
        if match is not None:
            is_output = match[1] in {"gen_ai.completion", "llm.output_messages", "llm.completions"}
            member = match[3].removeprefix("message.").removeprefix("prompt.").removeprefix("completion.")
            groups.setdefault((is_output, int(match[2])), {})[member] = value
    for (is_output, _), members in sorted(groups.items(), key=lambda item: item[0]):
        yield _message(_nested(members), is_output=is_output)


class _Branch(dict[str, Any]):
    """Members that were spread over several names, as opposed to a mapping that is one attribute's value."""


def _nested(members: Members) -> dict[str, Any]:
    """`{"tool_calls.0.name": "f"}` as `{"tool_calls": [{"name": "f"}]}`; a name has few dots that count."""
    tree = _Branch()
    for key, value in members.items():
        *path, last = key.split(".", _DOTS_MAX)
        place = tree
        for step in path:
            inner = place.setdefault(step, _Branch())
            if not isinstance(inner, _Branch):
                break
            place = inner
        else:
            place[last] = value
    return {key: _listed(value) for key, value in tree.items()}


_POSITION = re.compile(r"[0-9]{1,6}")


def _listed(value: Any) -> Any:
    if not isinstance(value, _Branch):
        return value
    members = {key: _listed(item) for key, item in value.items()}
    if members and all(_POSITION.fullmatch(key) for key in members):
        return [members[key] for key in sorted(members, key=int)]
    return members


def _from_events(span: Span) -> Iterator[ChatMessage]:
    """The older form of OpenTelemetry: one event per message, and `gen_ai.choice` for answers.

    Pydantic AI has the same events as a list in the attribute `events`.
    """
    for item in _list(_value(span.attributes.get("events"))):
        yield from _event_message(_mapping(item).get("event.name"), _mapping(item))
    for event in span.events:
        yield from _event_message(event.name, _body(span, event))
        if event.name in {"gen_ai.content.prompt", "gen_ai.content.completion"}:
            is_output = event.name.endswith("completion")
            value = event.attributes.get("gen_ai.completion" if is_output else "gen_ai.prompt")
            yield from _messages(value, is_output=is_output)


def _body(span: Span, event: Event) -> Members:
    """The members of a message event, wherever its sender put them. Strands always writes its content as JSON text."""
    content = event.attributes.get("gen_ai.event.content")
    whole = {} if content is None else _mapping(content) or {"content": content}
    body = {**event.attributes, **_mapping(event.attributes.get("body")), **whole}
    if span.genai.provider.startswith("strands"):
        return {key: _value(value) for key, value in body.items()}
    return body


_ROLE_OF_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")


def _event_message(name: Any, body: Members) -> Iterator[ChatMessage]:
    match = _ROLE_OF_EVENT.fullmatch(name) if isinstance(name, str) else None
    if match is not None:
        yield _message({**body, "role": body.get("role") or match[1]}, is_output=False)
    elif name == "gen_ai.choice":
        said = body.get("message", body.get("content"))
        message = _mapping(said)
        if not _SAYING & message.keys():
            message = {"content": said}
        yield _message({"role": "assistant", **body, **message}, is_output=True)


_PAIRS = (
    ("langfuse.observation.input", "langfuse.observation.output"),
    ("traceloop.entity.input", "traceloop.entity.output"),
    ("mlflow.spanInputs", "mlflow.spanOutputs"),
    ("request_data", "response_data"),
    ("gen_ai.prompt", "gen_ai.completion"),
    ("lk.chat_ctx", "lk.response.text"),
    ("lk.user_transcript", "lk.response.text"),
    ("ai.prompt", "ai.response.text"),
)


def _vendor(span: Span) -> Iterator[ChatMessage]:
    """One attribute for what went in, one for what came out."""
    for source, target in _PAIRS:
        found = _messages(span.attributes.get(source), is_output=False)
        if target == "ai.response.text":
            found += _vercel_output(span.attributes)
        else:
            found += _messages(span.attributes.get(target), is_output=True)
        if found:
            yield from found
            return


_TOOL_INPUTS = ("gen_ai.tool.call.arguments", "tool.parameters", "tool_arguments", "ai.toolCall.args", "input.value")
_TOOL_OUTPUTS = ("gen_ai.tool.call.result", "tool_response", "ai.toolCall.result", "output.value")


def _plain(span: Span) -> Iterator[ChatMessage]:
    """Tool calls, and OpenInference's `input.value` and `output.value`."""
    attributes = span.attributes
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


def _vercel_output(attributes: Members) -> Iterator[ChatMessage]:
    texts = (_text(attributes.get(key)) for key in ("ai.response.text", "ai.response.object"))
    parts = [MessagePart("text", text) for text in texts if text]
    parts += _calls(attributes.get("ai.response.toolCalls"))
    if parts:
        yield ChatMessage("assistant", tuple(parts), is_output=True)


def _system(value: Any) -> Iterator[ChatMessage]:
    yield ChatMessage("system", tuple(_content(value)))


# Values to messages.

_SAYING = frozenset({"content", "contents", "parts", "tool_calls", "refusal"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})


def _messages(value: Any, *, is_output: bool) -> list[ChatMessage]:
    """Whatever `value` holds: a list of messages, something with such a list inside, one message, or any text."""
    found = _chat(_value(value), is_output=is_output)
    if found is None:
        text = [MessagePart("text", value)] if isinstance(value, str) else _content(value)
        found = [ChatMessage(_default_role(is_output=is_output), tuple(text), is_output)]
    return [message for message in found if any(part != MessagePart("text", "") for part in message.parts)]


def _chat(value: Any, *, is_output: bool) -> list[ChatMessage] | None:
    """The messages of a JSON value, or None if it is something else."""
    members = _mapping(value)
    if _is_message(members):
        return [_message(members, is_output=is_output)]
    if members:
        return _inside(members, is_output=is_output)
    return _turns(_list(value), is_output=is_output)


_PLACES = (
    ("messages", False),
    ("items", False),
    ("inputs", False),
    ("input", False),
    ("contents", False),
    ("message", False),
    ("output", True),
    ("choices", True),
    ("candidates", True),
)


def _inside(members: Members, *, is_output: bool) -> list[ChatMessage] | None:
    """The messages inside a request or an answer of the usual clients; the second of a place says if it answers."""
    for key, is_answer in _PLACES:
        value = members.get(key)
        if key == "input" and isinstance(value, str) and "model" in members:
            found = [ChatMessage("user", (MessagePart("text", value),))]
        elif key in {"choices", "candidates"}:
            found = _chat([_answer(item) for item in _list(value)], is_output=True)
        else:
            found = None if isinstance(value, str) else _chat(value, is_output=is_output or is_answer)
        if found is not None:
            return [*_system(members.get("system") or members.get("instructions")), *found]
    return None


def _answer(choice: Any) -> Any:
    """The message in a choice (OpenAI) or candidate (Gemini)."""
    members = _mapping(choice)
    if isinstance(members.get("text"), str):
        return {"role": "assistant", "content": members["text"]}
    return _first(members, "message", "content") or choice


def _turns(items: Sequence[Any], *, is_output: bool) -> list[ChatMessage] | None:
    """A list item by item, if it is a conversation, or one message with all items, if they are the parts of one."""
    kinds = [_kind(item) for item in items]
    if items and all(kinds) and "tool_result" not in kinds:
        parts = (part for item in items for part in _content(item))
        return [ChatMessage(_default_role(is_output=is_output), tuple(parts), is_output)]
    if any(kind in _SPEAKERS or _is_turn(item) for item, kind in zip(items, kinds, strict=True)):
        return [message for item in items for message in _turn(item, is_output=is_output)]
    return None


_SPEAKERS: Mapping[PartKind | None, str] = {"tool_call": "assistant", "tool_result": "tool", "reasoning": "assistant"}


def _turn(item: Any, *, is_output: bool) -> Iterator[ChatMessage]:
    members, kind = _mapping(item), _kind(item)
    events = list(_event_message(members.get("event.name"), members))
    has_role = isinstance(members.get("role"), str) and (isinstance(item, dict) or _is_message(members))
    if events:
        yield from events
    elif has_role and kind not in _SPEAKERS:
        yield _message(members, is_output=is_output)
    else:
        role = _SPEAKERS.get(kind, _default_role(is_output=is_output))
        yield ChatMessage(role, tuple(_content(item)), is_output)


def _is_turn(item: Any) -> bool:
    members = _mapping(item)
    return _is_message(members) or any(True for _ in _event_message(members.get("event.name"), members))


def _is_message(members: Members) -> bool:
    return isinstance(members.get("role"), str) and bool(_SAYING & members.keys())


def _message(members: Members, *, is_output: bool) -> ChatMessage:
    role = str(members.get("role") or _default_role(is_output=is_output))
    content = _first(members, "parts", "content", "contents", "text")
    parts: list[MessagePart] = []
    if role == "tool" and not any(_kind(item) for item in _list(_value(content))):
        call_id = str(members.get("tool_call_id") or members.get("id") or "")
        parts.append(MessagePart("tool_result", _value(content), str(members.get("name") or ""), call_id))
    else:
        parts += _content(content)
    if isinstance(members.get("refusal"), str) and members["refusal"]:
        parts.append(MessagePart("text", members["refusal"]))
    parts += _calls(members.get("tool_calls"))
    return ChatMessage(role, tuple(parts), is_output)


def _default_role(*, is_output: bool) -> str:
    return "assistant" if is_output else "user"


# Members to parts.

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


def _kind(item: Any) -> PartKind | None:
    """The kind of part that a JSON value says it is; a text part must have its text."""
    members = _block(item)
    kind = _KINDS.get(str(members.get("type", "")))
    if kind == "text" and not any(isinstance(members.get(key), str) for key in _TEXTS):
        return None
    return kind


def _block(item: Any) -> Members:
    """A part with its `type`, also where the only member is named for it: `{"toolUse": {…}}` (Bedrock, Gemini)."""
    members = _members(item)
    members = _members(members.get("message_content")) or members
    for key in members if len(members) == 1 else ():
        if key in _BLOCKS and isinstance(members[key], dict):
            return {**members[key], "type": _BLOCKS[key]}
    return members


def _content(content: Any) -> Iterator[MessagePart]:
    """The parts of a message. A text is parsed only if it is a list of parts and nothing else; else it is the text."""
    if isinstance(content, str):
        items = _list(_value(content))
        if items and all(_kind(item) for item in items):
            yield from map(_part, items)
        elif content:
            yield MessagePart("text", content)
    elif isinstance(content, list):
        for item in cast("list[Any]", content):
            if item not in _EMPTY:
                yield MessagePart("text", item) if isinstance(item, str) else _part(item)
    elif content not in _EMPTY:
        yield _part(content)


def _part(item: Any) -> MessagePart:
    members = _block(item)
    match _kind(item):
        case "text":
            return MessagePart("text", _text(_first(members, *_TEXTS)))
        case "reasoning":
            return MessagePart("reasoning", _text(_first(members, "content", "thinking", "text", "summary")))
        case "tool_call":
            return _call(members)
        case "tool_result":
            content = _value(_first(members, "response", "result", "output", "content"))
            return MessagePart("tool_result", content, _name(members), _call_id(members))
        case "media":
            return MessagePart("media", dict(members))
        case None:
            return MessagePart("text", _only_text(members) or _written(members or item))


def _only_text(members: Members) -> str:
    """The text of a part that has nothing else but a type of its own."""
    rest = [value for key, value in members.items() if key != "type"]
    is_text = len(rest) == 1 and ("text" in members or "content" in members)
    return rest[0] if is_text and isinstance(rest[0], str) else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(_text(_first(_block(item), *_TEXTS) or item) for item in cast("list[Any]", value))
    return value if isinstance(value, str) else "" if value is None else _written(value)


def _calls(value: Any) -> Iterator[MessagePart]:
    for item in _list(_value(value)):
        members = _mapping(item)
        if members:
            yield _call(_mapping(members.get("tool_call")) or members)


def _call(members: Members) -> MessagePart:
    function = _mapping(members.get("function")) or members
    keys = ("arguments", "args", "input", "parameters")
    arguments = next((function[key] for key in keys if key in function), None)
    return MessagePart("tool_call", _value(arguments), _name(function), _call_id(members))


def _name(members: Members) -> str:
    return str(_first(members, "name", "toolName") or "")


def _call_id(members: Members) -> str:
    keys = ("tool_call_id", "toolCallId", "call_id", "tool_use_id", "toolUseId")
    return str(_first(members, "id", *keys) or "")


# Any value.


def _first(members: Members, *keys: str) -> Any:
    """The first of these members that holds something."""
    return next((members[key] for key in keys if members.get(key) not in _EMPTY), None)


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _members(value: Any) -> Members:
    return cast("Members", value) if isinstance(value, dict) else {}


def _mapping(value: Any) -> Members:
    """The members of a mapping, also of one that is written as JSON text."""
    return _members(_value(value))


def _value(value: Any) -> Any:
    """The JSON value that a text holds, if it holds an object or a list; else the value itself."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        found = json.loads(value)
    except json.JSONDecodeError:
        return value
    return found if _is_shallow(found) else value


def _is_shallow(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return True
    return False


def _containers(value: Any) -> list[Any]:
    return [item for item in (*_members(value).values(), *_list(value)) if isinstance(item, (dict, list))]


def _written(value: Any) -> str:
    return json.dumps(value).decode()
