"""Exports of traces: their formats and states. Pure rules, no store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class ExportFormat(StrEnum):
    """`otlp-json` is OTLP's file format, one request a line; `parquet` has one row per span."""

    OTLP_JSON = "otlp-json"
    PARQUET = "parquet"


class ExportState(StrEnum):
    """From `queued` to one of the others."""

    QUEUED = "queued"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """One export. `digest` names the file in the blob store; `problem` says why there is none."""

    id: str
    form: ExportFormat
    state: ExportState
    conditions: dict[str, Any]
    traces: int
    spans: int
    size: int
    digest: str | None
    problem: str | None
    created_at: datetime
    finished_at: datetime | None
