"""Traces: every agent call as OpenTelemetry spans, taken in by OTLP and read as lists, trees and figures.

`TraceIntake` and `TraceReader` are built once by the program; the edges find them by their types.
"""

from specloop.record.traces.conversation import ChatMessage, MessagePart, messages_of
from specloop.record.traces.errors import InboxFull, MalformedTraces, TraceNotFound
from specloop.record.traces.model import Span, SpanNode, TraceDetail, TraceFilter, TraceStatus, TraceSummary
from specloop.record.traces.opinions import Annotation, Annotator, Feedback, FeedbackKind, Judgement, Opinion
from specloop.record.traces.service.everything import TraceSection
from specloop.record.traces.service.expiry import TraceExpiry
from specloop.record.traces.service.export import TraceExports
from specloop.record.traces.service.intake import Receipt, TraceIntake, heard_since
from specloop.record.traces.service.opinions import TraceDeleted, TraceOpinions, TraceRemoval
from specloop.record.traces.service.reading import TraceReader

__all__ = [
    "Annotation",
    "Annotator",
    "ChatMessage",
    "Feedback",
    "FeedbackKind",
    "InboxFull",
    "Judgement",
    "MalformedTraces",
    "MessagePart",
    "Opinion",
    "Receipt",
    "Span",
    "SpanNode",
    "TraceDeleted",
    "TraceDetail",
    "TraceExpiry",
    "TraceExports",
    "TraceFilter",
    "TraceIntake",
    "TraceNotFound",
    "TraceOpinions",
    "TraceReader",
    "TraceRemoval",
    "TraceSection",
    "TraceStatus",
    "TraceSummary",
    "heard_since",
    "messages_of",
]
