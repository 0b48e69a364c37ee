"""Puts traces together: one place that knows how their services depend on each other, for `main` and tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from specloop.db.blobs import BlobStore
from specloop.db.telemetry import TelemetryStore
from specloop.jobs import Tasks
from specloop.record.traces.otlp import router as otlp_router
from specloop.record.traces.rest import routers as rest_routers
from specloop.record.traces.service.export import TraceExports
from specloop.record.traces.service.glance import TraceGlance
from specloop.record.traces.service.intake import TraceIntake
from specloop.record.traces.service.opinions import TraceDeleted, TraceOpinions, TraceRemoval
from specloop.record.traces.service.reading import TraceReader, WordsOfAgent
from specloop.record.traces.tasks import tasks


@dataclass(frozen=True, slots=True)
class Traces:
    """Traces, ready to be served. Routers are in order: literal paths come first."""

    services: Mapping[type, object]
    routers: Sequence[APIRouter]
    tasks: Sequence[Tasks]
    reader: TraceReader


def assemble(
    telemetry: TelemetryStore,
    blobs: BlobStore,
    intake: TraceIntake,
    on_deleted: Sequence[TraceDeleted] = (),
    words_of_agent: WordsOfAgent | None = None,
) -> Traces:
    """`on_deleted` is called in the transaction of each deletion."""
    reader = TraceReader(telemetry, intake.settle, words_of_agent)
    services = (
        intake,
        reader,
        TraceGlance(telemetry, reader),
        TraceOpinions(reader),
        TraceRemoval(telemetry, reader, on_deleted),
        TraceExports(telemetry, reader, blobs),
    )
    return Traces(
        services={type(service): service for service in services},
        routers=[otlp_router, *rest_routers],
        tasks=[tasks],
        reader=reader,
    )
