"""The conversation that every LLM SDK under test watches, and the list of spans that it made.

Runs in an SDK's own environment: nothing of Specloop and nothing but the `openai` client and OpenTelemetry is there.
"""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

from typing import Any

from openai import OpenAI
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import format_span_id, format_trace_id

TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


class Recorder(SpanProcessor):
    """Prints the ids of every span that ended here, for the check to compare with what arrived."""

    def on_end(self, span: ReadableSpan) -> None:
        """One line: trace id, span id, parent id or `-`, name."""
        parent = format_span_id(span.parent.span_id) if span.parent else "-"
        context = span.get_span_context()
        if context is not None:
            print("span", format_trace_id(context.trace_id), format_span_id(context.span_id), parent, span.name)


def ask() -> str:
    """A question, the model's tool call, the tool's result, the answer."""
    client = OpenAI()
    messages: list[Any] = [
        {"role": "system", "content": "You know the weather everywhere."},
        {"role": "user", "content": "How warm is it in Ghent?"},
    ]
    options: dict[str, Any] = {"model": "gpt-4o-mini", "temperature": 0.5, "tools": [TOOL]}
    first = client.chat.completions.create(messages=messages, **options).choices[0].message
    messages.append(first.model_dump(exclude_none=True))
    messages.append({"role": "tool", "tool_call_id": "call_ghent", "content": "19 degrees"})
    return client.chat.completions.create(messages=messages, **options).choices[0].message.content or ""
