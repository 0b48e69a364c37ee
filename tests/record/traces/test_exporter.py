"""The OpenTelemetry Python exporter against a server that really listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from specloop.errors import SpecloopError
from specloop.transport.edge.bodies import Bodies
from specloop.transport.edge.policy import EdgePolicy
from tests.record.traces.harness import Server, eventually


def status_only(_scope: object, error: SpecloopError) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """No error of the edge is looked at here."""
    return error.status, [], b""


@pytest.fixture
async def address(server: Server) -> AsyncIterator[str]:
    """The base URL of the listening server, with the middleware that inflates bodies."""
    config = uvicorn.Config(Bodies(server.app, EdgePolicy(status_only)), port=0, log_level="error", lifespan="off")
    listener = uvicorn.Server(config)
    running = asyncio.create_task(listener.serve())

    async def started() -> bool:
        return listener.started

    await eventually(started)
    port = listener.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    listener.should_exit = True
    await running


@pytest.mark.parametrize("compression", [Compression.NoCompression, Compression.Gzip])
async def test_the_exporter_delivers_a_nested_trace(server: Server, address: str, compression: Compression) -> None:
    exporter = OTLPSpanExporter(
        f"{address}/otel/v1/traces", headers={"authorization": "Bearer writer"}, compression=compression
    )
    provider = TracerProvider(resource=Resource.create({"service.name": "agent"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("tests", "1.0")
    with tracer.start_as_current_span("invoke_agent router") as root:
        with tracer.start_as_current_span("chat m", kind=SpanKind.CLIENT) as child:
            child.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 3, "list": ["a", "b"]})
            child.add_event("first chunk", {"n": 1})
        root.set_status(Status(StatusCode.ERROR, "gave up"))
    assert await asyncio.to_thread(provider.force_flush)
    await asyncio.to_thread(provider.shutdown)
    context = root.get_span_context()
    trace = await server.wait_for_spans(f"{context.trace_id:032x}", 2)
    found = trace["spans"][0]
    assert (found["span_id"], found["status_message"]) == (f"{context.span_id:016x}", "gave up")
    assert found["resource_attributes"]["service.name"] == "agent"
    inner = found["children"][0]
    assert (inner["operation"], inner["input_tokens"], inner["attributes"]["list"]) == ("chat", 3, ["a", "b"])
    assert inner["events"][0]["attributes"] == {"n": 1}
    assert (trace["status"], trace["name"]) == ("error", "invoke_agent router")
