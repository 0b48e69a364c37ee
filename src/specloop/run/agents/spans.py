"""Spans of agent runs in the words of OpenTelemetry's GenAI conventions (spectral.md §6.2). Knows no exporter.

A run is a trace of its own in the agent's workspace, not a child of the server's request span: the two belong to
different readers. A link joins them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context as OTelContext
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer

from specloop.kit import json
from specloop.run.agents.model import ServedAgent
from specloop.run.runtime import Output

PROVIDER = "specloop"
WORKSPACE_ATTRIBUTE = "specloop.workspace.id"
ACCOUNT_ATTRIBUTE = "specloop.account.id"


@contextmanager
def agent_span(tracer: Tracer, served: ServedAgent, value: Mapping[str, Any]) -> Generator[Span]:
    """The `invoke_agent` span of one run, open while the block runs."""
    agent, config = served.agent, served.config
    attributes: dict[str, Any] = {
        **_home(served),
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.provider.name": PROVIDER,
        "gen_ai.agent.id": agent.id,
        "gen_ai.agent.name": agent.name,
        "gen_ai.agent.version": str(config.version),
        "gen_ai.input.messages": _text(_message("user", {"type": "text", "content": _said(value)})),
        "specloop.agent.slug": agent.slug,
        "specloop.agent.config_hash": config.config_hash,
    }
    if agent.description:
        attributes["gen_ai.agent.description"] = agent.description
    around = trace.get_current_span().get_span_context()
    links = [Link(around)] if around.is_valid else None
    with tracer.start_as_current_span(
        f"invoke_agent {agent.name}",
        context=OTelContext(),
        kind=SpanKind.INTERNAL,
        attributes=attributes,
        links=links,
    ) as span:
        yield span


def record_output(tracer: Tracer, span: Span, served: ServedAgent, output: Output) -> None:
    """Write what came out onto the span; a chosen tool becomes an `execute_tool` child."""
    span.set_attribute("gen_ai.usage.input_tokens", output.tokens_in)
    span.set_attribute("gen_ai.usage.output_tokens", output.tokens_out)
    if output.error is not None:
        span.set_attribute("error.type", output.error)
        span.set_status(Status(StatusCode.ERROR, output.error))
        return
    tool = chosen_tool(output.value)
    if tool is None:
        part: dict[str, Any] = {"type": "text", "content": _said(output.value)}
    else:
        part = {"type": "tool_call", "name": tool, "arguments": _arguments(output.value)}
        _record_tool(tracer, span, served, tool, output)
    message = {**_message("assistant", part)[0], "finish_reason": "tool_call" if tool else "stop"}
    span.set_attribute("gen_ai.output.messages", _text([message]))


def _record_tool(tracer: Tracer, parent: Span, served: ServedAgent, tool: str, output: Output) -> None:
    attributes: dict[str, Any] = {
        **_home(served),
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.id": served.agent.id,
        "gen_ai.tool.name": tool,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.arguments": _text(_arguments(output.value)),
    }
    context = trace.set_span_in_context(parent, OTelContext())
    tracer.start_span(f"execute_tool {tool}", context=context, kind=SpanKind.INTERNAL, attributes=attributes).end()


def chosen_tool(value: Any) -> str | None:
    """The tool that an output names, as routers of tools answer: `{"tool": name or None}`."""
    tool: Any = value.get("tool") if isinstance(value, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return tool if isinstance(tool, str) else None


def trace_id_of(span: Span) -> str | None:
    """The trace id in OTLP's hexadecimal form; None when nothing is recorded."""
    context = span.get_span_context()
    return f"{context.trace_id:032x}" if context.is_valid else None


def _home(served: ServedAgent) -> dict[str, str]:
    return {WORKSPACE_ATTRIBUTE: served.agent.workspace_id, ACCOUNT_ATTRIBUTE: served.agent.account_id}


def _arguments(value: Mapping[str, Any]) -> Any:
    return value.get("arguments") or {}


def _message(role: str, part: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": role, "parts": [part]}]


def _said(value: Any) -> str:
    """The words of an input or output where it is only words, else its JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and isinstance(value.get("request"), str):  # pyright: ignore[reportUnknownMemberType]
        return str(value["request"])  # pyright: ignore[reportUnknownArgumentType]
    return _text(value)


def _text(value: Any) -> str:
    return json.dumps(value).decode()
