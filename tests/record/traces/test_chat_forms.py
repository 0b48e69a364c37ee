"""Every form in which a conversation is sent is read, text stays as it was sent, and no content breaks the reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from specloop.record.traces.conversation import ChatMessage, MessagePart, messages_of
from specloop.record.traces.conversation.values import DEPTH_MAX
from specloop.record.traces.model import Event, GenAI, Scope, Span, Usage
from tests.record.traces.harness import Server, hex_trace, request_of, span_of

Turn = tuple[str, str, Any]


def a_span(attributes: Mapping[str, Any], *events: Event, **genai: str) -> Span:
    """A span that says only that."""
    return Span(
        "0" * 32, "0" * 16, None, "n", 1, "s", 0, 1, 0, "", "", 0, Scope("", "", {}), attributes, {},
        events, [], (0, 0, 0), GenAI(**genai), Usage(), [],
    )  # fmt: skip


def turns(attributes: Mapping[str, Any], *events: Event, **genai: str) -> list[Turn]:
    """Role, kind and content of each part."""
    found = messages_of(a_span(attributes, *events, **genai))
    return [(message.role, part.kind, part.content) for message in found for part in message.parts]


def event(name: str, **attributes: Any) -> Event:
    """An event whose attribute names have dots for double underscores."""
    return Event(0, name, {key.replace("__", "."): value for key, value in attributes.items()})


HELLO: list[Turn] = [("user", "text", "hi"), ("assistant", "text", "hello")]
MESSAGE = {"role": "assistant", "content": "hello"}
OPENAI_ITEMS = [
    {"role": "user", "content": "hi"},
    {"type": "reasoning", "content": [], "summary": [{"type": "summary_text", "text": "think"}]},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": '{"x":1}'},
    {"type": "function_call_output", "call_id": "c1", "output": "42"},
    "a stray note",
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hello"}]},
]
OPENAI_TURNS: list[Turn] = [
    ("user", "text", "hi"),
    ("assistant", "reasoning", "think"),
    ("assistant", "tool_call", {"x": 1}),
    ("tool", "tool_result", "42"),
    ("user", "text", "a stray note"),
    ("assistant", "text", "hello"),
]


def test_events_whose_body_is_json_are_messages() -> None:
    question = event(
        "gen_ai.user.message", gen_ai__system="az", gen_ai__event__content='{"role":"user","content":"hi"}'
    )
    choice = json.dumps({"message": MESSAGE, "finish_reason": "stop", "index": 0})
    answer = event("gen_ai.choice", gen_ai__event__content=choice)
    assert turns({}, question, answer) == HELLO
    assert turns({}, event("gen_ai.user.message", gen_ai__event__content="hi")) == HELLO[:1]


@pytest.mark.parametrize("key", ["events", "all_messages_events"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_list_of_message_events_is_a_conversation(key: str, *, as_text: bool) -> None:
    events = [
        {"event.name": "gen_ai.user.message", "content": "hi", "role": "user", "gen_ai.message.index": 0},
        {"event.name": "gen_ai.choice", "index": 0, "message": MESSAGE},
    ]
    attributes = {key: json.dumps(events) if as_text else events}
    assert turns(attributes) == HELLO
    assert [message.is_output for message in messages_of(a_span(attributes))] == [False, True]


def test_an_attribute_that_is_only_called_events_is_no_conversation() -> None:
    assert (
        turns({"events": json.dumps([{"role": "user", "content": "x"}, {"event.name": 3}]), "input.value": "hi"})
        == (HELLO[:1])
    )


def test_request_and_response_data_are_read() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
    attributes = {
        "request_data": json.dumps({"messages": [{"role": "user", "content": "hi"}], "model": "gpt-4o"}),
        "response_data": json.dumps({"message": {**MESSAGE, "tool_calls": [call]}, "usage": {}}),
    }
    assert turns(attributes) == [*HELLO, ("assistant", "tool_call", {"x": 1})]


def test_messages_that_say_nothing_leave_the_span_to_the_next_reader() -> None:
    empty = json.dumps([{"role": "user", "parts": []}, {"role": "assistant", "content": None}])
    plain = {"input.value": "hi", "output.value": "hello"}
    assert turns({"gen_ai.input.messages": empty, "gen_ai.prompt.0.role": "user", **plain}) == HELLO
    assert turns({"gen_ai.input.messages": empty, "all_messages_events": json.dumps([MESSAGE])}) == HELLO[1:]
    assert turns({"langfuse.observation.input": empty, "gen_ai.prompt": "hi"}) == HELLO[:1]


def test_instructions_go_before_what_another_reader_finds() -> None:
    instructions = {"gen_ai.system_instructions": json.dumps([{"type": "text", "content": "be kind"}])}
    system: Turn = ("system", "text", "be kind")
    assert turns(instructions, event("gen_ai.user.message", content="hi")) == [system, *HELLO[:1]]
    assert turns(instructions) == [system]
    assert turns(
        instructions, event("gen_ai.system.message", content="x"), event("gen_ai.user.message", content="hi")
    ) == [
        ("system", "text", "x"),
        *HELLO[:1],
    ]


JSON_TEXTS = [
    '{"text":"x","b":1.10}',
    '{"text": "x"}',
    "[]",
    "{}",
    "[ 1.10, 2 ]",
    '["a"]',
    '[{"a": 1}, {"type": "text", "text": "x"}]',
    '[{"type": "text"}]',
    '[{"type":"image","n":1},{"a":2}]',
    '{"type": "text", "text": "x"}',
    "[not json",
    "0",
]


@pytest.mark.parametrize("text", JSON_TEXTS)
def test_text_that_happens_to_be_json_is_shown_as_it_was_sent(text: str) -> None:
    user, answer = ("user", "text", text), ("assistant", "text", text)
    indexed = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": text}
    assert turns({**indexed, "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": text}) == [
        user,
        answer,
    ]
    assert turns({"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": text}]}]}) == [user]
    assert turns({}, event("gen_ai.user.message", content=text), event("gen_ai.choice", message=text)) == [user, answer]


@pytest.mark.parametrize("text", [text for text in JSON_TEXTS if text not in {"[]", "{}"}])
def test_values_that_are_no_conversation_are_shown_as_they_were_sent(text: str) -> None:
    assert turns({"input.value": text, "output.value": text}) == [("user", "text", text), ("assistant", "text", text)]


def test_content_that_is_a_list_of_parts_is_parsed() -> None:
    parts = json.dumps([{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "u"}}])
    assert turns({"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": parts}) == [
        ("user", "text", "hi"),
        ("user", "media", {"type": "image_url", "image_url": {"url": "u"}}),
    ]


def test_a_part_with_members_of_its_own_is_shown_whole() -> None:
    parts = [{"type": "note", "text": "hi"}, {"text": "hello"}, {"type": "note", "text": "x", "lang": "en"}]
    assert turns({"gen_ai.input.messages": [{"role": "user", "parts": parts}]}) == [
        ("user", "text", "hi"),
        ("user", "text", "hello"),
        ("user", "text", '{"type":"note","text":"x","lang":"en"}'),
    ]


@pytest.mark.parametrize(
    "key", ["langfuse.observation.input", "gen_ai.prompt", "input.value", "traceloop.entity.input"]
)
def test_a_list_of_mixed_items_is_read_item_by_item(key: str) -> None:
    assert turns({key: json.dumps(OPENAI_ITEMS)}) == OPENAI_TURNS


def test_tool_calls_of_mixed_lists_keep_names_and_ids() -> None:
    found = [
        part for message in messages_of(a_span({"input.value": json.dumps(OPENAI_ITEMS)})) for part in message.parts
    ]
    assert found[2] == MessagePart("tool_call", {"x": 1}, "f", "c1")
    assert found[3] == MessagePart("tool_result", "42", "", "c1")


REQUESTS = {
    "openai responses": (
        {"input": [{"role": "user", "content": "hi"}], "model": "m"},
        {"id": "r", "output": [{"role": "assistant", "content": [{"type": "output_text", "text": "hello"}]}]},
    ),
    "openai responses with text": ({"input": "hi", "model": "m"}, {"output": [MESSAGE]}),
    "gemini": (
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        {"candidates": [{"content": {"role": "assistant", "parts": [{"text": "hello"}]}}]},
    ),
    "completions": ({"messages": [{"role": "user", "content": "hi"}]}, {"choices": [{"text": "hello", "index": 0}]}),
    "langgraph": ({"inputs": {"messages": [{"role": "user", "content": "hi"}]}}, {"messages": [MESSAGE]}),
}  # fmt: skip


@pytest.mark.parametrize("name", list(REQUESTS))
def test_requests_and_answers_of_the_usual_clients_are_conversations(name: str) -> None:
    request, answer = REQUESTS[name]
    attributes = {"input.value": json.dumps(request), "output.value": json.dumps(answer)}
    assert turns(attributes) == HELLO
    assert [message.is_output for message in messages_of(a_span(attributes))] == [False, True]


def test_instructions_inside_a_request_are_said_first() -> None:
    request = {"input": "hi", "model": "m", "instructions": "be kind"}
    assert turns({"input.value": json.dumps(request)}) == [("system", "text", "be kind"), *HELLO[:1]]


def test_a_refusal_is_text() -> None:
    messages: list[Any] = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": None, "refusal": "no"}]
    refused: list[Turn] = [("user", "text", "hi"), ("assistant", "text", "no")]
    assert turns({"langfuse.observation.input": json.dumps(messages)}) == refused
    messages[1] = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    assert turns({"langfuse.observation.input": json.dumps(messages)}) == refused


def test_blocks_that_are_named_for_their_only_member_are_parts() -> None:
    question = event("gen_ai.user.message", content='[{"text": "hi"}]')
    answer = event("gen_ai.choice", message='[{"toolUse": {"name": "f", "toolUseId": "1", "input": {"x": 1}}}]')
    result = event("gen_ai.tool.message", content='[{"toolResult": {"toolUseId": "1", "content": [{"text": "r"}]}}]')
    assert turns({}, question, answer, result, provider="strands-agents") == [
        ("user", "text", "hi"),
        ("assistant", "tool_call", {"x": 1}),
        ("tool", "tool_result", [{"text": "r"}]),
    ]


def test_names_with_many_dots_or_digits_are_harmless() -> None:
    attributes = {
        "gen_ai.prompt.0.content": "hi",
        f"gen_ai.prompt.0.{'a.' * 5_000}b": 1,
        f"gen_ai.prompt.{'9' * 5_000}.content": "unread",
        "gen_ai.prompt.².content": "unread",
        f"gen_ai.prompt.0.tool_calls.{'9' * 5_000}.name": "unread",
        "gen_ai.prompt.1.contents.².text": "unread",
        "gen_ai.prompt.1.content": "there",
    }
    assert turns(attributes) == [("user", "text", "hi"), ("user", "text", "there")]


def test_a_value_under_a_name_that_goes_on_is_not_changed() -> None:
    value = {"a": 1}
    attributes = {"gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": value, "gen_ai.prompt.0.content.b": 2}
    assert turns(attributes) == [("user", "text", '{"a":1}')]
    assert value == {"a": 1}


@pytest.mark.parametrize("opening", ["[", '{"messages":', '{"message":', '[{"role":"user","content":'])
@pytest.mark.parametrize("depth", [DEPTH_MAX // 2, 300, 900, 5_000])
def test_deeply_nested_text_is_harmless(opening: str, depth: int) -> None:
    text = (
        opening * depth
        + "1"
        + "".join({"[": "]", "{": "}"}[sign] for sign in reversed(opening * depth) if sign in "[{")
    )
    for key in (
        "gen_ai.input.messages",
        "input.value",
        "gen_ai.prompt.0.content",
        "events",
        "langfuse.observation.input",
    ):
        messages_of(a_span({key: text}))
    messages_of(a_span({"tool.parameters": text}, event("gen_ai.choice", message=text), tool_name="f"))
    assert turns({"input.value": text}) or depth <= DEPTH_MAX


async def test_hostile_content_is_taken_in_and_read(server: Server) -> None:
    nested: Any = "x"
    for _ in range(12):
        nested = {"messages": [nested], "role": {}}
    attributes = {"input.value": [nested], "gen_ai.input.messages": nested, f"gen_ai.prompt.0.{'a.' * 2_000}": "x"}
    await server.send(request_of(span_of(1, attributes=attributes)))
    stored = (await server.wait_for_spans(hex_trace(1), 1))["spans"][0]["attributes"]
    assert messages_of(a_span(stored))


NAMES = [
    "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages", "pydantic_ai.all_messages",
    "all_messages_events", "ai.prompt.messages", "ai.response.text", "ai.response.object", "ai.response.toolCalls",
    "gen_ai.prompt.0.content", "gen_ai.prompt.0", "gen_ai.prompt.0.role", "gen_ai.prompt.0.tool_calls.0",
    "gen_ai.prompt.0.tool_calls.0.name", "gen_ai.prompt.0.tool_calls.0.function", "gen_ai.prompt.0.tool_calls.x.y",
    "llm.input_messages.0.message.contents.0.message_content.type", "llm.input_messages.0.message.contents.0",
    "llm.output_messages.0.message.content", "llm.prompts.0.prompt.text", "events", "gen_ai.prompt",
    "gen_ai.completion",
    "langfuse.observation.input", "langfuse.observation.output", "request_data", "response_data", "mlflow.spanOutputs",
    "traceloop.entity.input", "lk.chat_ctx", "lk.response.text", "input.value", "output.value", "tool.parameters",
    "gen_ai.tool.call.result", "body", "gen_ai.event.content", "message", "content", "role",
]  # fmt: skip
MEMBERS = [
    "role", "content", "contents", "parts", "type", "tool_calls", "tool_call", "function", "name", "id", "arguments",
    "text", "refusal", "summary", "message", "messages", "message_content", "input", "inputs", "output", "choices",
    "candidates", "items", "model", "system", "instructions", "event.name", "toolUse", "toolResult", "functionCall",
    "0",
]  # fmt: skip
WORDS = [
    "user", "assistant", "tool", "system", "text", "reasoning", "function_call", "function_call_output", "tool_result",
    "image", "refusal", "gen_ai.choice", "gen_ai.user.message", "[", "{}", "[]", '[{"type":"text","text":"x"}]', "",
]  # fmt: skip
EVENTS = [
    "gen_ai.choice", "gen_ai.user.message", "gen_ai.tool.message", "gen_ai.content.prompt",
    "gen_ai.client.inference.operation.details", "other",
]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(WORDS)
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=3), inner, max_size=4)
        | inner.map(json.dumps)
    ),
    max_leaves=12,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), TREES | TREES.map(json.dumps), max_size=5)


@given(ATTRIBUTES, st.lists(st.tuples(st.sampled_from(EVENTS), ATTRIBUTES), max_size=2), st.sampled_from(["", "f"]))
@example({"gen_ai.prompt.0.content": "a", "gen_ai.prompt.0.content.b": 1}, [], "")
@example({"events": [{"event.name": ["gen_ai.choice"]}]}, [], "")
def test_no_stored_content_makes_the_reader_fail(
    attributes: dict[str, Any], events: list[tuple[str, dict[str, Any]]], tool: str
) -> None:
    happened = [Event(0, name, members) for name, members in events]
    before = repr(attributes)
    for provider in ("", "strands-agents"):
        for message in messages_of(a_span(attributes, *happened, tool_name=tool, provider=provider)):
            check_message(message)
    assert repr(attributes) == before


def check_message(message: ChatMessage) -> None:
    """A message has a role and parts, and what is text is text."""
    assert isinstance(message.role, str)
    assert message.parts
    for part in message.parts:
        assert isinstance(part.name, str)
        assert isinstance(part.call_id, str)
        assert isinstance(part.content, str) or part.kind not in {"text", "reasoning"}
