"""OpenTelemetry's Python exporter, plain and gzip, one trace of two spans each."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

import json

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, format_span_id, format_trace_id


def tell(span: Span, parent: str) -> str:
    """Print the ids of `span`; its own id."""
    context = span.get_span_context()
    name = span.name if isinstance(span, ReadableSpan) else ""
    own = format_span_id(context.span_id)
    print("span", format_trace_id(context.trace_id), own, parent, name)
    return own


for compression in (Compression.NoCompression, Compression.Gzip):
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(compression=compression)))
    tracer = provider.get_tracer("external")
    with tracer.start_as_current_span(f"question {compression.value}") as root:
        root_id = tell(root, "-")
        with tracer.start_as_current_span("chat gpt-4o-mini") as chat:
            chat.set_attribute("gen_ai.operation.name", "chat")
            chat.set_attribute("gen_ai.request.model", "gpt-4o-mini")
            chat.set_attribute("gen_ai.response.model", "gpt-4o-mini-2024-07-18")
            chat.set_attribute("gen_ai.usage.input_tokens", 41)
            chat.set_attribute("gen_ai.usage.output_tokens", 7)
            chat.set_attribute("gen_ai.response.finish_reasons", ["stop"])
            asked = [{"role": "user", "parts": [{"type": "text", "content": "How warm is it in Ghent?"}]}]
            said = [{"role": "assistant", "parts": [{"type": "text", "content": "It is nineteen degrees in Ghent."}]}]
            chat.set_attribute("gen_ai.input.messages", json.dumps(asked))
            chat.set_attribute("gen_ai.output.messages", json.dumps(said))
            tell(chat, root_id)
    provider.shutdown()
