"""`/metrics` for Prometheus: requests by route and status, latency, the process. Loopback, or with a token."""

from __future__ import annotations

import hmac
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, Info, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from specloop import __version__
from specloop.app.health import require_loopback
from specloop.errors import SpecloopError
from specloop.kit.log import get_logger
from specloop.transport.guard import public
from specloop.transport.routing import api_router, provided

Gather = Callable[[], Awaitable[Mapping[str, float]]]
FIGURES = {
    "inbox_bytes": "Bytes of spans that are acknowledged and not yet in the telemetry store",
    "inbox_requests": "Requests of spans that are acknowledged and not yet in the telemetry store",
    "jobs_waiting": "Jobs that are due and wait for a place",
    "jobs_running": "Jobs that run now",
}
"""The figures that `gather` may give, and what they mean; any other name gets its name as its help."""

log = get_logger(__name__)


class Figures:
    """A collector of the stores' and queues' figures, as `gather` gave them last."""

    def __init__(self, gather: Gather) -> None:
        self._gather = gather
        self._latest: Mapping[str, float] = {}

    async def refresh(self) -> None:
        """Ask for them anew. A store that cannot tell must not take the other figures away with it."""
        try:
            self._latest = await self._gather()
        except SpecloopError as error:
            log.warning("metrics.figures_missing", reason=error.detail)
            self._latest = {}

    def collect(self) -> Iterable[Metric]:
        """One gauge for each figure."""
        for name, value in self._latest.items():
            yield GaugeMetricFamily(f"specloop_{name}", FIGURES.get(name, name), value=value)


@dataclass(frozen=True, slots=True)
class Metrics:
    """The registry of this program, its instruments and the figures that are read at scrape time."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    figures: Figures
    token: str

    @classmethod
    def create(cls, gather: Gather, token: str) -> Metrics:
        """Fresh instruments; `gather` gives figures by name, see `FIGURES`."""
        registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        Info("specloop_build", "The program", registry=registry).info({"version": __version__})
        figures = Figures(gather)
        registry.register(figures)
        return cls(
            registry,
            Counter("specloop_requests_total", "Requests answered", ["method", "route", "status"], registry=registry),
            Histogram("specloop_request_seconds", "Time to answer", ["method", "route"], registry=registry),
            figures,
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
    await metrics.figures.refresh()
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)
