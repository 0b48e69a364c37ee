"""Traces: every agent call as OpenTelemetry spans, taken in by OTLP and read as lists, trees and figures.

`TraceIntake` and `TraceReader` are built once by the program; the edges find them by their types.
"""

from specloop.record.traces.errors import InboxFull, MalformedTraces, TraceNotFound
from specloop.record.traces.model import Span, SpanNode, TraceDetail, TraceFilter, TraceStatus, TraceSummary
from specloop.record.traces.service.intake import Receipt, TraceIntake
from specloop.record.traces.service.reading import TraceReader

__all__ = [
    "InboxFull",
    "MalformedTraces",
    "Receipt",
    "Span",
    "SpanNode",
    "TraceDetail",
    "TraceFilter",
    "TraceIntake",
    "TraceNotFound",
    "TraceReader",
    "TraceStatus",
    "TraceSummary",
]
