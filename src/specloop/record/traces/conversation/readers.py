"""Readers: one per way to attach a conversation to a span."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from specloop.record.traces.conversation.messages import event_messages, message_of, messages_in, system_of
from specloop.record.traces.conversation.model import ChatMessage, MessagePart
from specloop.record.traces.conversation.parts import calls_of, text_of
from specloop.record.traces.conversation.values import Members, items_of, mapping_of, value_of
from specloop.record.traces.model import Event, Span

_DOTS_MAX = 16


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


_INPUTS = ("gen_ai.input.messages", "pydantic_ai.all_messages", "all_messages_events", "ai.prompt.messages")


def _structured(span: Span) -> Iterator[ChatMessage]:
    """OpenTelemetry's current form, Pydantic AI, Vercel: lists of messages, structured or as JSON text."""
    attributes = span.attributes
    yield from system_of(attributes.get("gen_ai.system_instructions"))
    yield from next(filter(None, (messages_in(attributes.get(key), is_output=False) for key in _INPUTS)), ())
    yield from messages_in(attributes.get("gen_ai.output.messages"), is_output=True)
    if "ai.prompt.messages" in attributes:
        yield from _vercel_output(attributes)
    for event in span.events:
        if event.name == "gen_ai.client.inference.operation.details":
            yield from system_of(event.attributes.get("gen_ai.system_instructions"))
            yield from messages_in(event.attributes.get("gen_ai.input.messages"), is_output=False)
            yield from messages_in(event.attributes.get("gen_ai.output.messages"), is_output=True)


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
        yield message_of(_nested(members), is_output=is_output)


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
    for item in items_of(value_of(span.attributes.get("events"))):
        yield from event_messages(mapping_of(item).get("event.name"), mapping_of(item))
    for event in span.events:
        yield from event_messages(event.name, _body(span, event))
        if event.name in {"gen_ai.content.prompt", "gen_ai.content.completion"}:
            is_output = event.name.endswith("completion")
            value = event.attributes.get("gen_ai.completion" if is_output else "gen_ai.prompt")
            yield from messages_in(value, is_output=is_output)


def _body(span: Span, event: Event) -> Members:
    """The members of a message event, wherever its sender put them. Strands always writes its content as JSON text."""
    content = event.attributes.get("gen_ai.event.content")
    whole = {} if content is None else mapping_of(content) or {"content": content}
    body = {**event.attributes, **mapping_of(event.attributes.get("body")), **whole}
    if span.genai.provider.startswith("strands"):
        return {key: value_of(value) for key, value in body.items()}
    return body


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
        found = messages_in(span.attributes.get(source), is_output=False)
        if target == "ai.response.text":
            found += _vercel_output(span.attributes)
        else:
            found += messages_in(span.attributes.get(target), is_output=True)
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
        call = MessagePart("tool_call", value_of(arguments), genai.tool_name, genai.tool_call_id)
        yield ChatMessage("assistant", (call,))
        if result is not None:
            part = MessagePart("tool_result", value_of(result), genai.tool_name, genai.tool_call_id)
            yield ChatMessage("tool", (part,), is_output=True)
        return
    yield from messages_in(attributes.get("input.value"), is_output=False)
    yield from messages_in(attributes.get("output.value"), is_output=True)


def _vercel_output(attributes: Members) -> Iterator[ChatMessage]:
    texts = (text_of(attributes.get(key)) for key in ("ai.response.text", "ai.response.object"))
    parts = [MessagePart("text", text) for text in texts if text]
    parts += calls_of(attributes.get("ai.response.toolCalls"))
    if parts:
        yield ChatMessage("assistant", tuple(parts), is_output=True)
