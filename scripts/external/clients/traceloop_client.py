"""Traceloop's own instrumentation of the OpenAI client, pointed here by its base URL and headers."""

# pyright: basic, reportMissingImports=false

from __future__ import annotations

from asking import Recorder, ask
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import workflow

Traceloop.init(app_name="weather", telemetry_enabled=False)
provider = trace.get_tracer_provider()
if isinstance(provider, TracerProvider):
    provider.add_span_processor(Recorder())
workflow(name="weather question")(ask)()
if isinstance(provider, TracerProvider):
    provider.shutdown()
