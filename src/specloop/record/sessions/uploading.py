"""Reads the body of an upload (specstory.md §1.2) into exact bytes and checks what the contract demands of it."""

from __future__ import annotations

import json as lenient_json
from collections.abc import Mapping
from typing import Any, Final, cast

from specloop.kit import json
from specloop.record.sessions.errors import BadUpload
from specloop.record.sessions.model import Upload

_REQUIRED: Final = ("projectName", "name", "markdown", "rawData")
_INT_MAX: Final = 2**63


def read_upload(body: bytes) -> Upload:
    """The upload of a request body; unknown members are ignored, unknown metadata is kept.

    Raises: BadUpload.
    """
    document = _read(body)
    for name in _REQUIRED:
        _check_text(document, name)
    session_data, metadata = document.get("sessionData"), document.get("metadata")
    if session_data is not None and not isinstance(session_data, str):
        raise BadUpload("Invalid value for sessionData. Must be a string")
    if metadata is not None and not isinstance(metadata, dict):
        raise BadUpload("Invalid value for metadata. Must be an object")
    version = document.get("markdownVersion")
    return Upload(
        project_name=plain(document["projectName"]),
        name=plain(document["name"]),
        markdown=exact_bytes(document["markdown"]),
        raw=exact_bytes(document["rawData"]),
        session_data=exact_bytes(session_data) if session_data else None,
        metadata=cast("Mapping[str, Any] | None", metadata),
        markdown_version=plain(version) if isinstance(version, str) else None,
    )


def _read(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except json.JSONDecodeError:
        document = _read_leniently(body)
    if not isinstance(document, dict):
        raise BadUpload
    return cast("dict[str, Any]", document)


def _check_text(document: Mapping[str, Any], name: str) -> None:
    value = document.get(name)
    if value is None or value == "":
        raise BadUpload(f"Missing required field: {name}")
    if not isinstance(value, str):
        raise BadUpload(f"Invalid value for {name}. Must be a string")


def _read_leniently(body: bytes) -> Any:
    """What strict parsers refuse though clients send it: halves of surrogate pairs, huge numbers, raw bytes."""
    try:
        document = lenient_json.loads(body.decode("utf-8", "surrogateescape"))
        if isinstance(document, dict) and "metadata" in document:
            members = cast("dict[str, Any]", document)
            members["metadata"] = _storable(members["metadata"])
    except (ValueError, RecursionError) as error:  # nested deeper than anything that a client means
        raise BadUpload from error
    return cast("Any", document)


def _storable(value: Any) -> Any:
    match value:
        case str():
            return exact_bytes(value).decode("utf-8", "replace")
        case dict():
            return {str(_storable(key)): _storable(item) for key, item in cast("dict[Any, Any]", value).items()}
        case list():
            return [_storable(item) for item in cast("list[Any]", value)]
        case int() if not -_INT_MAX <= value < _INT_MAX:
            return str(value)
        case float() if value != value or value in (float("inf"), float("-inf")):
            return None
        case _:
            return value


def exact_bytes(text: str) -> bytes:
    """UTF-8; bytes that were no UTF-8 come out as they came in, any other lone surrogate as U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        kept = "".join("\ufffd" if 0xD800 <= ord(one) < 0xDC80 or 0xDCFF < ord(one) < 0xE000 else one for one in text)
        return kept.encode("utf-8", "surrogateescape")


def plain(text: str) -> str:
    """Text that every store can keep: no NUL, no halves of surrogate pairs."""
    cleaned = text if text.isprintable() else exact_bytes(text).decode("utf-8", "replace")
    return cleaned.replace("\x00", "\ufffd")
