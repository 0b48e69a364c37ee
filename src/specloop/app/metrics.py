"""`/metrics` for Prometheus: requests by route and status, latency, the process. Loopback, or with a token."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop.app.health import require_loopback
from specloop.transport.guard import public
from specloop.transport.routing import api_router, provided

Gather = Callable[[], Awaitable[dict[str, float]]]


@dataclass(frozen=True, slots=True)
class Metrics:
    """The registry of this program, its instruments and a source of gauges read at scrape time."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    gauges: Gauge
    gather: Gather
    token: str

    @classmethod
    def create(cls, gather: Gather, token: str) -> Metrics:
        """Fresh instruments; `gather` gives named figures such as queue depth."""
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        return cls(
            registry,
            Counter("specloop_requests_total", "Requests answered", ["method", "route", "status"], registry=registry),
            Histogram("specloop_request_seconds", "Time to answer", ["method", "route"], registry=registry),
            Gauge("specloop_level", "Figures of the stores and queues", ["name"], registry=registry),
            gather,
            token,
        )


class MeasureRequests:
    """ASGI middleware that counts and times requests by route template, never by raw path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Measure one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            route = getattr(scope.get("route"), "path_format", "unmatched")
            self.metrics.requests.labels(scope["method"], route, status).inc()
            self.metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - started)


router = api_router(tags=["Health"])


@router.get("/metrics", include_in_schema=False)
@public()
async def read_metrics(request: Request, metrics: Annotated[Metrics, Depends(provided(Metrics))]) -> Response:
    """The Prometheus text format, to this machine or to the bearer of the metrics token."""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not (metrics.token and hmac.compare_digest(shown.encode(), metrics.token.encode())):
        require_loopback(request)
    for name, value in (await metrics.gather()).items():
        metrics.gauges.labels(name).set(value)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
