"""Stored attributes back to values: text and OTLP type per entry, as the native insert wrote them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValueList


def read_attributes(keys: Sequence[str], texts: Sequence[str], types: Sequence[str]) -> dict[str, Any]:
    """The attributes in sending order; of a key that was sent twice, the last value."""
    return {key: _value(text, kind) for key, text, kind in zip(keys, texts, types, strict=True)}


def _value(text: str, kind: str) -> Any:
    match kind:
        case "string":
            return text
        case "int":
            return int(text)
        case "double":
            return float(text)
        case "bool":
            return text == "true"
        case "array":
            return _list(ArrayValue.FromString(base64.b64decode(text)))
        case "kvlist":
            return _mapping(KeyValueList.FromString(base64.b64decode(text)))
        case "bytes":
            return text
        case _:
            return None


def _list(message: ArrayValue) -> list[Any]:
    return [_nested(value) for value in message.values]


def _mapping(message: KeyValueList) -> dict[str, Any]:
    return {item.key: _nested(item.value) for item in message.values}


def _nested(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "int_value":
            return value.int_value
        case "double_value":
            return value.double_value
        case "bool_value":
            return value.bool_value
        case "array_value":
            return _list(value.array_value)
        case "kvlist_value":
            return _mapping(value.kvlist_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _:
            return None
