"""Request bodies to protobuf messages. OTLP/JSON is converted once here; afterwards there is one form only."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from specloop.kit import json
from specloop.record.traces.errors import MalformedTraces
from specloop.record.traces.ingest.otlp_json import request_from_json


class Encoding(StrEnum):
    """The two encodings of OTLP/HTTP by their media types."""

    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


def decode(body: bytes, encoding: Encoding) -> ExportTraceServiceRequest:
    """The message of a request body.

    Raises: MalformedTraces.
    """
    if encoding is Encoding.JSON:
        try:
            document: Any = json.loads(body or b"{}")
        except json.JSONDecodeError as error:
            raise MalformedTraces(f"the body is not JSON: {error}") from error
        return request_from_json(document)
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedTraces("the body is not a protobuf ExportTraceServiceRequest") from error


def canonical_form(body: bytes) -> bytes:
    """The same request as this program would write it: each field once, nothing unknown."""
    message = ExportTraceServiceRequest.FromString(body)
    message.DiscardUnknownFields()
    return message.SerializeToString()
