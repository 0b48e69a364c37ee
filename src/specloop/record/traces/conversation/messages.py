"""JSON values as messages: lists of them, requests and answers of the usual clients, or any text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from specloop.record.traces.conversation.model import ChatMessage, MessagePart, PartKind
from specloop.record.traces.conversation.parts import calls_of, kind_of, parts_of
from specloop.record.traces.conversation.values import Members, first, items_of, mapping_of, value_of

SAYING = frozenset({"content", "contents", "parts", "tool_calls", "refusal"})


def messages_in(value: Any, *, is_output: bool) -> list[ChatMessage]:
    """Whatever `value` holds: a list of messages, something with such a list inside, one message, or any text."""
    found = _chat(value_of(value), is_output=is_output)
    if found is None:
        text = [MessagePart("text", value)] if isinstance(value, str) else parts_of(value)
        found = [ChatMessage(_default_role(is_output=is_output), tuple(text), is_output)]
    return [message for message in found if any(part != MessagePart("text", "") for part in message.parts)]


def _chat(value: Any, *, is_output: bool) -> list[ChatMessage] | None:
    """The messages of a JSON value, or None if it is something else."""
    members = mapping_of(value)
    if _is_message(members):
        return [message_of(members, is_output=is_output)]
    if members:
        return _inside(members, is_output=is_output)
    return _turns(items_of(value), is_output=is_output)


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
            found = _chat([_answer(item) for item in items_of(value)], is_output=True)
        else:
            found = None if isinstance(value, str) else _chat(value, is_output=is_output or is_answer)
        if found is not None:
            return [*system_of(members.get("system") or members.get("instructions")), *found]
    return None


def _answer(choice: Any) -> Any:
    """The message in a choice (OpenAI) or candidate (Gemini)."""
    members = mapping_of(choice)
    if isinstance(members.get("text"), str):
        return {"role": "assistant", "content": members["text"]}
    return first(members, "message", "content") or choice


def _turns(items: Sequence[Any], *, is_output: bool) -> list[ChatMessage] | None:
    """A list item by item, if it is a conversation, or one message with all items, if they are the parts of one."""
    kinds = [kind_of(item) for item in items]
    if items and all(kinds) and "tool_result" not in kinds:
        parts = (part for item in items for part in parts_of(item))
        return [ChatMessage(_default_role(is_output=is_output), tuple(parts), is_output)]
    if any(kind in _SPEAKERS or _is_turn(item) for item, kind in zip(items, kinds, strict=True)):
        return [message for item in items for message in _turn(item, is_output=is_output)]
    return None


_SPEAKERS: Mapping[PartKind | None, str] = {"tool_call": "assistant", "tool_result": "tool", "reasoning": "assistant"}


def _turn(item: Any, *, is_output: bool) -> Iterator[ChatMessage]:
    members, kind = mapping_of(item), kind_of(item)
    events = list(event_messages(members.get("event.name"), members))
    has_role = isinstance(members.get("role"), str) and (isinstance(item, dict) or _is_message(members))
    if events:
        yield from events
    elif has_role and kind not in _SPEAKERS:
        yield message_of(members, is_output=is_output)
    else:
        role = _SPEAKERS.get(kind, _default_role(is_output=is_output))
        yield ChatMessage(role, tuple(parts_of(item)), is_output)


def _is_turn(item: Any) -> bool:
    members = mapping_of(item)
    return _is_message(members) or any(True for _ in event_messages(members.get("event.name"), members))


def _is_message(members: Members) -> bool:
    return isinstance(members.get("role"), str) and bool(SAYING & members.keys())


def message_of(members: Members, *, is_output: bool) -> ChatMessage:
    role = str(members.get("role") or _default_role(is_output=is_output))
    content = first(members, "parts", "content", "contents", "text")
    parts: list[MessagePart] = []
    if role == "tool" and not any(kind_of(item) for item in items_of(value_of(content))):
        call_id = str(members.get("tool_call_id") or members.get("id") or "")
        parts.append(MessagePart("tool_result", value_of(content), str(members.get("name") or ""), call_id))
    else:
        parts += parts_of(content)
    if isinstance(members.get("refusal"), str) and members["refusal"]:
        parts.append(MessagePart("text", members["refusal"]))
    parts += calls_of(members.get("tool_calls"))
    return ChatMessage(role, tuple(parts), is_output)


def _default_role(*, is_output: bool) -> str:
    return "assistant" if is_output else "user"


def system_of(value: Any) -> Iterator[ChatMessage]:
    yield ChatMessage("system", tuple(parts_of(value)))


_ROLE_OF_EVENT = re.compile(r"gen_ai\.(system|user|assistant|tool)\.message")


def event_messages(name: Any, body: Members) -> Iterator[ChatMessage]:
    match = _ROLE_OF_EVENT.fullmatch(name) if isinstance(name, str) else None
    if match is not None:
        yield message_of({**body, "role": body.get("role") or match[1]}, is_output=False)
    elif name == "gen_ai.choice":
        said = body.get("message", body.get("content"))
        message = mapping_of(said)
        if not SAYING & message.keys():
            message = {"content": said}
        yield message_of({"role": "assistant", **body, **message}, is_output=True)
