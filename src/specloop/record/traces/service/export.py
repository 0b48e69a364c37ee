"""Writing traces to a file: asked for in a request, done by a durable job, fetched from the blob store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

from specloop.db.blobs import BlobStore, Digest
from specloop.db.context import Context
from specloop.db.paging import Page, PageRequest
from specloop.db.telemetry import TelemetryStore
from specloop.jobs import JobContext, enqueue
from specloop.kit import json
from specloop.kit.clock import format_time
from specloop.record.traces.errors import ExportNotReady
from specloop.record.traces.exports import Export, ExportFormat, ExportState
from specloop.record.traces.model import AttributeCondition, Comparison, TraceFilter, TraceStatus
from specloop.record.traces.repository import exports, spans
from specloop.record.traces.repository.choosing import place
from specloop.record.traces.service.otlp_lines import otlp_line
from specloop.record.traces.service.reading import TraceReader

JOB = "traces.export"
TRACES_MAX = 10_000
"""How many of the newest matching traces one export holds."""

PAGE_TRACES = 100
PAGE_SPANS = 1_000


class TraceExports:
    """Exports of a workspace."""

    def __init__(self, telemetry: TelemetryStore, reader: TraceReader, blobs: BlobStore) -> None:
        self._telemetry = telemetry
        self._reader = reader
        self._blobs = blobs

    async def request(self, ctx: Context, chosen: TraceFilter, form: ExportFormat) -> Export:
        """Ask for the newest matching traces in a file; it is written soon after the transaction commits."""
        export = await exports.add(ctx, form, _as_json(chosen))
        await enqueue(ctx, JOB, {"export_id": export.id}, queue="maintenance")
        return export

    async def read(self, ctx: Context, export_id: str) -> Export:
        """Where an export stands.

        Raises: ExportNotFound.
        """
        return await exports.read(ctx, export_id)

    async def list_exports(self, ctx: Context, page: PageRequest) -> Page[Export]:
        """The workspace's exports, newest first."""
        return await exports.list_page(ctx, page)

    async def content(self, ctx: Context, export_id: str) -> tuple[Export, int, AsyncIterator[bytes]]:
        """The finished file: its size and its chunks, which were found to be intact.

        Raises: ExportNotFound; ExportNotReady; BlobNotFound; BlobCorrupt; BlobStoreUnavailable.
        """
        export = await exports.read(ctx, export_id)
        if export.digest is None:
            raise ExportNotReady(f"the export is {export.state.value}")
        size, chunks = await self._blobs.stream(Digest(export.digest))
        return export, size, chunks

    async def run(self, job: JobContext, export_id: str) -> None:
        """Write the file. A second try starts over; what has ended stays as it is.

        Raises: ExportNotFound; BlobStoreUnavailable; what the stores raise.
        """
        async with job.reading() as ctx:
            export = await exports.read(ctx, export_id)
        if export.state is not ExportState.QUEUED:
            return
        found = await self._choose(job, _from_json(export.conditions))
        counted = {"spans": 0}
        if export.form is ExportFormat.PARQUET:
            data = await spans.as_parquet(self._telemetry, job.principal.workspace_id or "", found)
            counted["spans"] = await spans.count(self._telemetry, job.principal.workspace_id or "", found)
            digest, size = await self._blobs.put(data), len(data)
        else:
            size_of = {"bytes": 0}
            digest = await self._blobs.put(self._lines(job, found, counted, size_of))
            size = size_of["bytes"]
        async with job.writing() as ctx:
            await exports.finish(ctx, export_id, digest, traces=len(found), spans=counted["spans"], size=size)

    async def fail(self, job: JobContext, export_id: str, problem: str) -> None:
        """Say that no file will come."""
        async with job.writing() as ctx:
            await exports.fail(ctx, export_id, problem)

    async def _choose(self, job: JobContext, chosen: TraceFilter) -> list[str]:
        """Each page in a unit of its own: a read transaction over them all would keep SQLite's log from shrinking."""
        found: list[str] = []
        cursor: str | None = None
        while len(found) < TRACES_MAX:
            page = PageRequest(limit=PAGE_TRACES, cursor=cursor, is_counted=False)
            async with job.reading() as ctx:
                part = await self._reader.list_traces(ctx, chosen, page)
            found += [trace.trace_id for trace in part.results]
            cursor = part.next_cursor
            if cursor is None:
                break
        return found

    async def _lines(
        self, job: JobContext, traces: list[str], counted: dict[str, int], size: dict[str, int]
    ) -> AsyncGenerator[bytes]:
        """One ExportTraceServiceRequest a line, as OTLP's file format wants it."""
        workspace_id = job.principal.workspace_id or ""
        for done, trace_id in enumerate(traces):
            placed, after = await place(self._telemetry, workspace_id, trace_id), (0, "")
            while placed is not None:
                rows = await spans.page_spans(self._telemetry, workspace_id, placed, limit=PAGE_SPANS, after=after)
                if rows:
                    line = json.dumps(otlp_line(rows)) + b"\n"
                    counted["spans"] += len(rows)
                    size["bytes"] += len(line)
                    yield line
                if len(rows) < PAGE_SPANS:
                    break
                after = (rows[-1].start_ns, rows[-1].span_id)
            await job.progress(done + 1, len(traces), "traces")


def _as_json(chosen: TraceFilter) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in asdict(chosen).items():
        if value is not None and value != ():
            document[name] = format_time(value) if isinstance(value, datetime) else value
    return json.loads(json.dumps(document))


def _from_json(document: dict[str, Any]) -> TraceFilter:
    values = dict(document)
    for name in ("start", "end"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    if "status" in values:
        values["status"] = TraceStatus(values["status"])
    values["attributes"] = tuple(
        AttributeCondition(one["key"], Comparison(one["comparison"]), one["value"])
        for one in values.get("attributes", ())
    )
    return TraceFilter(**values)
