"""Specloop's own spans, sent with the OpenTelemetry SDK to its own OTLP endpoint.

A span that names a workspace in `specloop.workspace.id` is stored there; all others go to the system workspace. The
exporter calls the application in-process, so that nothing is lost while the listeners are already closed.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import TimeoutError as FutureTimeout

import httpx
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop import __version__
from specloop.kit.context import Principal, system_principal
from specloop.kit.log import get_logger
from specloop.transport.dialects import Dialect, dialect_of
from specloop.transport.routing import INTERNAL_PRINCIPAL, READING_METHODS

log = get_logger(__name__)

WORKSPACE_ATTRIBUTE = "specloop.workspace.id"
ACCOUNT_ATTRIBUTE = "specloop.account.id"
ENDPOINT = "/otel/v1/traces"
WRITE_TRACES = frozenset({"write:traces"})
SLOW_SECONDS = 0.25
QUEUE_SPANS_MAX = 65_536
BATCH_SPANS_MAX = 2_048
EXPORT_SECONDS_MAX = 30.0


class OwnEndpointExporter(SpanExporter):
    """Posts batches to the application that it is attached to; before and after that, spans are dropped.

    Spans that name no workspace go where `home` stands.
    """

    def __init__(self) -> None:
        self._home = ("", "")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._app: ASGIApp | None = None

    def attach(self, app: ASGIApp, loop: asyncio.AbstractEventLoop, home: Principal) -> None:
        """Start sending to `app`, on its event loop."""
        self._home = (home.account_id, home.workspace_id or "")
        self._app = app
        self._loop = loop

    def detach(self) -> None:
        """Stop sending."""
        self._app = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send one batch, grouped by workspace. Called on the processor's own thread."""
        if self._app is None or self._loop is None or self._loop.is_closed():
            return SpanExportResult.FAILURE
        sent = [self._send(home, group) for home, group in self._by_workspace(spans).items()]
        return SpanExportResult.SUCCESS if all(sent) else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """The processor is done."""
        self.detach()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing is held back here."""
        return True

    def _by_workspace(self, spans: Sequence[ReadableSpan]) -> dict[tuple[str, str], list[ReadableSpan]]:
        groups: dict[tuple[str, str], list[ReadableSpan]] = defaultdict(list)
        for span in spans:
            attributes = span.attributes or {}
            workspace_id = attributes.get(WORKSPACE_ATTRIBUTE)
            home = (str(attributes.get(ACCOUNT_ATTRIBUTE, "")), str(workspace_id)) if workspace_id else self._home
            groups[home].append(span)
        return groups

    def _send(self, home: tuple[str, str], spans: Sequence[ReadableSpan]) -> bool:
        body = encode_spans(spans).SerializeToString()
        assert self._loop is not None  # noqa: S101  (checked by export)
        future = asyncio.run_coroutine_threadsafe(self._post(system_principal(*home, WRITE_TRACES), body), self._loop)
        try:
            status = future.result(EXPORT_SECONDS_MAX)
        except (FutureTimeout, httpx.HTTPError, RuntimeError) as error:
            log.warning("self_traces.lost", spans=len(spans), error=str(error))
            return False
        if status != 200:
            log.warning("self_traces.refused", spans=len(spans), status=status)
        return status == 200

    async def _post(self, principal: Principal, body: bytes) -> int:
        app = self._app
        if app is None:
            return 503

        async def as_principal(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, INTERNAL_PRINCIPAL: principal}, receive, send)

        transport = httpx.ASGITransport(as_principal, client=("127.0.0.1", 0))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            headers = {"content-type": "application/x-protobuf"}
            return (await client.post(ENDPOINT, content=body, headers=headers)).status_code


def tracer_provider(exporter: SpanExporter) -> TracerProvider:
    """A provider of the program's own; the process-wide one is left alone."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "specloop", "service.version": __version__}), shutdown_on_exit=False
    )
    provider.add_span_processor(
        BatchSpanProcessor(
            exporter,
            max_queue_size=QUEUE_SPANS_MAX,
            max_export_batch_size=BATCH_SPANS_MAX,
            schedule_delay_millis=500,
        )
    )
    return provider


class TraceRequests:
    """ASGI middleware: a server span for each request that changed something, failed or was slow.

    Reads that went well are not worth a span each, nor are uploads of recorded sessions, which come by the thousand
    when a device first syncs; OTLP requests would feed themselves.
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self.app = app
        self.tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch one request."""
        if scope["type"] != "http" or dialect_of(scope["path"]) is Dialect.OTLP:
            await self.app(scope, receive, send)
            return
        started = time.time_ns()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            self._record(scope, status, started)

    def _record(self, scope: Scope, status: int, started: int) -> None:
        method = scope["method"]
        is_slow = time.time_ns() - started > SLOW_SECONDS * 1e9
        is_upload = method == "PUT" and status < 400 and dialect_of(scope["path"]) is Dialect.RECORD
        if (method in READING_METHODS or is_upload) and status < 500 and not is_slow:
            return
        route = getattr(scope.get("route"), "path_format", "unmatched")
        span = self.tracer.start_span(f"{method} {route}", kind=SpanKind.SERVER, start_time=started)
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        span.set_attribute("specloop.request.id", str(scope.get("state", {}).get("request_id", "")))
        if status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
