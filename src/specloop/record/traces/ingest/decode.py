"""Request bodies to protobuf messages. OTLP/JSON is converted once here; afterwards there is one form only."""

from __future__ import annotations

import codecs
import re
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
        return request_from_json(_parsed(body))
    try:
        return ExportTraceServiceRequest.FromString(body)
    except DecodeError as error:
        raise MalformedTraces("the body is not a protobuf ExportTraceServiceRequest") from error


def _parsed(body: bytes) -> Any:
    text = body.removeprefix(codecs.BOM_UTF8) or b"{}"
    try:
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return json.loads(_ESCAPES.sub(_whole, text))
    except json.JSONDecodeError as error:
        raise MalformedTraces(f"the body is not JSON: {error}") from error


# JavaScript writes half of a surrogate pair where a text was cut inside an emoji. An escaped backslash and a whole pair
# are matched first, so that what is left is half a pair.
_ESCAPES = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def _whole(match: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if match[1] else match[0]


def canonical_form(body: bytes) -> bytes:
    """The same request as this program would write it: each field once, nothing unknown."""
    message = ExportTraceServiceRequest.FromString(body)
    message.DiscardUnknownFields()
    return message.SerializeToString()
