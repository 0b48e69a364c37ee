"""Many conventions, one shape: the native mapping, and messages in every form of content (spectral.md §6.2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from specloop.record.traces.conversation import MessagePart, messages_of
from specloop.record.traces.model import Event, GenAI, Scope, Span, Usage
from tests.record.traces.harness import Server, attributes_of, hex_trace, request_of, span_of

DIALECTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "opentelemetry": (
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "gpt-4o",
            "gen_ai.response.model": "gpt-4o-2024-08-06",
            "gen_ai.usage.input_tokens": 1000,
            "gen_ai.usage.output_tokens": 100,
            "gen_ai.usage.cache_read.input_tokens": 400,
            "gen_ai.usage.reasoning.output_tokens": 20,
            "gen_ai.conversation.id": "c1",
            "gen_ai.agent.id": "a1",
            "gen_ai.agent.name": "helper",
        },
        {
            "operation": "chat",
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "request_model": "gpt-4o",
            "input_tokens": 1000,
            "cache_read_tokens": 400,
            "reasoning_tokens": 20,
            "session_id": "c1",
            "agent_id": "a1",
            "agent_name": "helper",
            "cost_usd": "0.00300000",
        },
    ),
    "older opentelemetry": (
        {"gen_ai.system": "openai", "gen_ai.request.model": "gpt-4o", "gen_ai.usage.prompt_tokens": 3},
        {"operation": "chat", "provider": "openai", "model": "gpt-4o", "input_tokens": 3},
    ),
    "openinference": (
        {
            "openinference.span.kind": "LLM",
            "llm.provider": "anthropic",
            "llm.model_name": "claude-sonnet-4-5",
            "llm.token_count.prompt": 7,
            "llm.token_count.completion": 8,
            "llm.token_count.prompt_details.cache_read": 2,
            "llm.cost.total": 0.25,
            "session.id": "s",
            "user.id": "u",
            "tag.tags": ["a", "b"],
        },
        {
            "operation": "chat",
            "provider": "anthropic",
            "model": "claude-sonnet-4-5",
            "input_tokens": 7,
            "output_tokens": 8,
            "cache_read_tokens": 2,
            "cost_usd": "0.25000000",
            "session_id": "s",
            "user_id": "u",
            "tags": ["a", "b"],
        },
    ),
    "openinference tool": (
        {"openinference.span.kind": "TOOL", "tool.name": "search", "tool_call.id": "t1"},
        {"operation": "execute_tool", "tool_name": "search", "tool_call_id": "t1"},
    ),
    "openinference reranker": ({"openinference.span.kind": "RERANKER"}, {"operation": "rerank"}),
    "langfuse": (
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": "gpt-4o",
            "langfuse.observation.usage_details": '{"input":5,"output":6}',
            "langfuse.observation.cost_details": '{"total":0.125}',
            "langfuse.session.id": "s",
            "langfuse.user.id": "u",
            "langfuse.trace.tags": '["x"]',
        },
        {
            "operation": "chat",
            "model": "gpt-4o",
            "input_tokens": 5,
            "output_tokens": 6,
            "cost_usd": "0.12500000",
            "session_id": "s",
            "user_id": "u",
            "tags": ["x"],
        },
    ),
    "langfuse with parts": (
        {
            "langfuse.observation.usage_details": json.dumps(
                {"input": 5, "input_cache_read": 20, "input_cache_creation": 3, "output": 6, "output_reasoning": 4}
            ),
            "langfuse.observation.cost_details": '{"input":0.1,"output":0.2,"input_cache_read":1.25e-05}',
        },
        {
            "input_tokens": 28,
            "cache_read_tokens": 20,
            "cache_write_tokens": 3,
            "output_tokens": 10,
            "reasoning_tokens": 4,
            "cost_usd": "0.30001250",
        },
    ),
    "langfuse with other parts": (
        {"langfuse.observation.usage_details": '{"input":5,"input_cached_tokens":2,"output_reasoning_tokens":4}'},
        {"input_tokens": 7, "cache_read_tokens": 2, "output_tokens": 4, "reasoning_tokens": 4},
    ),
    "langfuse, anthropic": (
        {
            "langfuse.observation.usage_details": json.dumps(
                {
                    "input_tokens": 5,
                    "cache_read_input_tokens": 20,
                    "cache_creation_input_tokens": 3,
                    "output_tokens": 6,
                }
            )
        },
        {"input_tokens": 28, "cache_read_tokens": 20, "cache_write_tokens": 3, "output_tokens": 6},
    ),
    "langfuse, openai": (
        {
            "langfuse.observation.usage_details": json.dumps(
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 5,
                    "total_tokens": 15,
                    "prompt_tokens_details": {"cached_tokens": 4},
                    "completion_tokens_details": {"reasoning_tokens": 2},
                }
            )
        },
        {"input_tokens": 10, "cache_read_tokens": 4, "output_tokens": 5, "reasoning_tokens": 2},
    ),
    "langfuse without usage": (
        {"langfuse.observation.usage_details": '{"total":9}', "langfuse.observation.cost_details": "{}"},
        {"input_tokens": None, "output_tokens": None, "cost_usd": None},
    ),
    "parts of a cost": (
        {"llm.cost.prompt": 0.1, "llm.cost.completion": 0.2, "llm.token_count.total": 10},
        {"cost_usd": "0.30000000", "input_tokens": None, "output_tokens": None},
    ),
    "one part of a cost": ({"llm.cost.completion": 0.2}, {"cost_usd": "0.20000000"}),
    "a cost with its parts": ({"llm.cost.total": 1.5, "llm.cost.prompt": 0.1}, {"cost_usd": "1.50000000"}),
    "costs beyond all measure": (
        {"llm.cost.prompt": 9_999_999_999, "langfuse.observation.cost_details": '{"a":9999999999,"b":9999999999}'},
        {"cost_usd": "9999999999.00000000"},
    ),
    "parts that are too much together": (
        {"llm.cost.prompt": 9_999_999_999, "llm.cost.completion": 9_999_999_999},
        {"cost_usd": None},
    ),
    "graph node": ({"graph.node.id": "planner-1", "graph.node.name": "Planner"}, {"agent_name": "Planner"}),
    "graph node without a name": ({"graph.node.id": "planner-1"}, {"agent_name": "planner-1"}),
    "agent type": ({"agent.type": "helper", "agent.name": "bank", "graph.node.id": "n"}, {"agent_name": "bank"}),
    "traceloop": (
        {
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": "planner",
            "traceloop.association.properties.session_id": "s",
        },
        {"operation": "invoke_agent", "agent_name": "planner", "session_id": "s"},
    ),
    "traceloop completion": (
        {"llm.request.type": "completion", "gen_ai.request.model": "m", "llm.usage.prompt_tokens": 4},
        {"operation": "text_completion", "model": "m", "input_tokens": 4},
    ),
    "pydantic ai": (
        {"agent_name": "bank", "pydantic_ai.all_messages": "[]", "gen_ai.usage.input_tokens": 9},
        {"operation": "invoke_agent", "agent_name": "bank", "input_tokens": 9, "cost_usd": None},
    ),
    "vercel": (
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.model.id": "gpt-4o",
            "ai.model.provider": "openai.chat",
            "ai.usage.promptTokens": 11,
            "ai.usage.completionTokens": 12,
            "ai.telemetry.metadata.userId": "u",
        },
        {
            "operation": "chat",
            "model": "gpt-4o",
            "provider": "openai",
            "input_tokens": 11,
            "output_tokens": 12,
            "user_id": "u",
        },
    ),
    "vercel parent": ({"ai.operationId": "ai.generateText"}, {"operation": "invoke_agent"}),
    "vercel tool": (
        {"ai.operationId": "ai.toolCall", "ai.toolCall.name": "f", "ai.toolCall.id": "1"},
        {"operation": "execute_tool", "tool_name": "f", "tool_call_id": "1"},
    ),
    "mlflow": (
        {
            "mlflow.spanType": '"CHAT_MODEL"',
            "mlflow.llm.model": '"gpt-4o"',
            "mlflow.chat.tokenUsage": '{"input_tokens":2,"output_tokens":3}',
            "mlflow.trace.session": '"s"',
        },
        {"operation": "chat", "model": "gpt-4o", "input_tokens": 2, "output_tokens": 3, "session_id": "s"},
    ),
    "errors": ({"error.type": "timeout"}, {"error_type": "timeout", "operation": None}),
}


async def test_every_convention_gives_the_same_members(server: Server) -> None:
    spans = [span_of(number, trace=number, attributes=sent) for number, (sent, _) in enumerate(DIALECTS.values(), 1)]
    failed = span_of(
        99, trace=99, events=[WireSpan.Event(name="exception", attributes=attributes_of({"exception.type": "Boom"}))]
    )
    await server.send(request_of(*spans, failed))
    for number, (name, (sent, expected)) in enumerate(DIALECTS.items(), 1):
        span = (await server.wait_for_spans(hex_trace(number), 1))["spans"][0]
        assert {key: span[key] for key in expected} == expected, name
        assert span["attributes"].keys() == sent.keys(), name
    assert (await server.wait_for_spans(hex_trace(99), 1))["spans"][0]["error_type"] == "Boom"


AGENTS = (
    ("invoke_agent weather bot", {"gen_ai.operation.name": "invoke_agent", "graph.node.id": "n"}, "weather bot"),
    ("create_agent planner", {"gen_ai.operation.name": "create_agent"}, "planner"),
    ("invoke_agent shop", {"openinference.span.kind": "AGENT"}, "shop"),
    ("invoke_agent other", {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "told"}, "told"),
    ("invoke_agent", {"gen_ai.operation.name": "invoke_agent"}, None),
    ("invoke_agent weather", {"gen_ai.operation.name": "chat"}, None),
    ("create_agent weather", {"gen_ai.operation.name": "invoke_agent"}, None),
)


async def test_an_agent_that_only_the_span_name_tells_is_known(server: Server) -> None:
    spans = [
        span_of(number, trace=number, name=name, attributes=sent) for number, (name, sent, _) in enumerate(AGENTS, 1)
    ]
    await server.send(request_of(*spans))
    for number, (name, _, agent) in enumerate(AGENTS, 1):
        trace = await server.wait_for_spans(hex_trace(number), 1)
        assert (trace["spans"][0]["agent_name"], trace["agents"]) == (agent, [agent] if agent else []), name


SCORES: dict[str, tuple[dict[str, Any], float | None]] = {
    "evaluations": ({"evaluations.0.evaluation.name": "q", "evaluations.0.evaluation.score": 0.25}, 0.25),
    "annotations": ({"annotations.12.annotation.name": "q", "annotations.12.annotation.score": 0.25}, 0.25),
    "short": ({"evaluations.0.name": "q", "evaluations.0.score": "2.5e-1"}, 0.25),
    "trace": ({"trace.evaluations.0.evaluation.name": "q", "trace.evaluations.0.evaluation.score": 0.25}, 0.25),
    "session": ({"session.annotations.0.annotation.name": "q", "session.annotations.0.annotation.score": 0.25}, 0.25),
    "span": ({"gen_ai.evaluation.name": "q", "gen_ai.evaluation.score.value": 0.25}, 0.25),
    "two": (
        {
            "gen_ai.evaluation.name": "q",
            "gen_ai.evaluation.score.value": 0.5,
            "annotations.0.annotation.name": "r",
            "annotations.0.annotation.score": 0.25,
        },
        0.25,
    ),
    "without a name": ({"gen_ai.evaluation.score.value": 0.25, "evaluations.0.evaluation.score": 0.25}, None),
    "no scores": (
        {"my.score": 0.25, "xevaluations.0.score": 0.25, "evaluations.٣.name": "q", "evaluations.٣.score": 0.25}, None
    ),
    "no numbers": (
        {
            "gen_ai.evaluation.name": "q",
            "gen_ai.evaluation.score.value": True,
            "evaluations.0.evaluation.name": "q",
            "evaluations.0.evaluation.score": "1_0",
            "evaluations.1.evaluation.name": "q",
            "evaluations.1.evaluation.score": "nan",
        },
        None,
    ),
    "members of others": ({"score.value": 0.25, "name": "q", "gen_ai.evaluation.name": "q"}, None),
}  # fmt: skip


async def test_scores_that_are_found_are_those_that_are_shown(server: Server) -> None:
    spans = [span_of(number, trace=number, attributes=sent) for number, (sent, _) in enumerate(SCORES.values(), 1)]
    event = WireSpan.Event(name="gen_ai.evaluation.result", attributes=attributes_of(SCORES["span"][0]))
    nameless = WireSpan.Event(name="gen_ai.evaluation.result", attributes=attributes_of(SCORES["without a name"][0]))
    await server.send(
        request_of(*spans, span_of(98, trace=98, events=[event]), span_of(99, trace=99, events=[nameless]))
    )
    expected = {number: lowest for number, (_, lowest) in enumerate(SCORES.values(), 1)} | {98: 0.25, 99: None}
    for number, lowest in expected.items():
        trace = await server.wait_for_spans(hex_trace(number), 1)
        shown = [one["score"] for one in trace["annotations"] if one["score"] is not None]
        assert (trace["score_min"], min(shown, default=None)) == (lowest, lowest), number
    query: dict[str, Any] = {"score<": 0.3}
    found = (await server.get("", **query)).json()["results"]
    assert {one["trace_id"] for one in found} == {hex_trace(number) for number, low in expected.items() if low}


async def test_usage_that_parents_repeat_counts_once(server: Server) -> None:
    usage = {"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 100}
    await server.send(
        request_of(
            span_of(1, attributes={**usage, "gen_ai.operation.name": "invoke_agent"}),
            span_of(2, parent=1, attributes={**usage, "gen_ai.operation.name": "chat"}),
            span_of(3, parent=2, attributes={**usage, "gen_ai.operation.name": "chat"}),
            span_of(4, parent=1, attributes={**usage, "gen_ai.operation.name": "chat"}),
        )
    )
    trace = await server.wait_for_spans(hex_trace(1), 4)
    assert (trace["input_tokens"], trace["output_tokens"], trace["cost_usd"]) == (2000, 200, "0.00700000")
    stats = (await server.get("/stats")).json()
    assert (stats["input_tokens"], stats["cost_usd"], stats["micro_usd"]) == (2000, "0.00700000", 7000)
    assert stats["by_model"][0]["name"] == "gpt-4o"
    assert stats["by_model"][0]["latency_ms"]["p95"] == pytest.approx(5.0)


async def test_calls_of_unknown_models_are_counted_as_unpriced(server: Server) -> None:
    calls = [
        {"gen_ai.operation.name": "chat", "gen_ai.request.model": model, "gen_ai.usage.input_tokens": 10}
        for model in ("gpt-4o", "my-own-model")
    ]
    await server.send(request_of(*(span_of(number, attributes=call) for number, call in enumerate(calls, 1))))
    trace = await server.wait_for_spans(hex_trace(1), 2)
    assert (trace["input_tokens"], trace["cost_usd"], trace["calls_unpriced"]) == (20, "0.00002500", 1)


def a_span(attributes: Mapping[str, Any], events: list[Event] | None = None, **genai: str) -> Span:
    """A span that says only that."""
    return Span(
        "0" * 32, "0" * 16, None, "n", 1, "s", 0, 1, 0, "", "", 0, Scope("", "", {}), attributes, {},
        events or [], [], (0, 0, 0), GenAI(**genai), Usage(), [],
    )  # fmt: skip


CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
CHATS: dict[str, Mapping[str, Any]] = {
    "current": {
        "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"x": 1}}]}]
        ),
    },
    "structured": {
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"x": 1}}]}
        ],
    },
    "traceloop": {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": "hi",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.tool_calls.0.id": "1",
        "gen_ai.completion.0.tool_calls.0.name": "f",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"x":1}',
    },
    "openinference": {
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hi",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.id": "1",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "f",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": '{"x":1}',
    },
    "langfuse": {
        "langfuse.observation.input": json.dumps({"messages": [{"role": "user", "content": "hi"}]}),
        "langfuse.observation.output": json.dumps({"role": "assistant", "content": None, "tool_calls": [CALL]}),
    },
    "mlflow": {
        "mlflow.spanInputs": json.dumps({"messages": [{"role": "user", "content": "hi"}]}),
        "mlflow.spanOutputs": json.dumps({"choices": [{"message": {"role": "assistant", "tool_calls": [CALL]}}]}),
    },
    "vercel": {
        "ai.prompt.messages": json.dumps([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
        "ai.response.toolCalls": json.dumps([{"toolCallId": "1", "toolName": "f", "args": '{"x":1}'}]),
    },
    "values": {
        "input.value": json.dumps({"messages": [{"role": "user", "content": "hi"}]}),
        "output.value": json.dumps({"choices": [{"message": {"role": "assistant", "tool_calls": [CALL]}}]}),
    },
}


@pytest.mark.parametrize("name", list(CHATS))
def test_every_form_of_content_gives_the_same_chat(name: str) -> None:
    question, answer = messages_of(a_span(CHATS[name]))
    assert (question.role, list(question.parts), question.is_output) == ("user", [MessagePart("text", "hi")], False)
    assert (answer.role, answer.is_output) == ("assistant", True)
    assert list(answer.parts) == [MessagePart("tool_call", {"x": 1}, "f", "1")]


def test_events_of_the_older_form_are_messages() -> None:
    events = [
        Event(0, "gen_ai.system.message", {"content": "be kind"}),
        Event(1, "gen_ai.user.message", {"content": "hi"}),
        Event(2, "gen_ai.tool.message", {"content": "42", "id": "1"}),
        Event(3, "gen_ai.choice", {"message": '{"role":"assistant","content":"hello"}', "finish_reason": "stop"}),
    ]
    found = messages_of(a_span({}, events))
    assert [(one.role, one.parts[0].kind, one.parts[0].content) for one in found] == [
        ("system", "text", "be kind"),
        ("user", "text", "hi"),
        ("tool", "tool_result", "42"),
        ("assistant", "text", "hello"),
    ]


def test_tool_spans_show_their_call_and_its_result() -> None:
    attributes = {"gen_ai.tool.call.arguments": '{"q":"x"}', "gen_ai.tool.call.result": "found"}
    call, result = messages_of(a_span(attributes, tool_name="search", tool_call_id="9"))
    assert list(call.parts) == [MessagePart("tool_call", {"q": "x"}, "search", "9")]
    assert list(result.parts) == [MessagePart("tool_result", "found", "search", "9")]


KEYS = st.sampled_from(
    [key for chat in CHATS.values() for key in chat]
    + ["gen_ai.system_instructions", "pydantic_ai.all_messages", "lk.chat_ctx", "gen_ai.prompt", "input.value"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "parts", "type", "tool_calls", "0"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(KEYS, VALUES | VALUES.map(json.dumps), max_size=5))
def test_no_content_breaks_the_reader(attributes: dict[str, Any]) -> None:
    for message in messages_of(a_span(attributes)):
        assert isinstance(message.role, str)
        assert all(part.kind in {"text", "reasoning", "tool_call", "tool_result", "media"} for part in message.parts)
