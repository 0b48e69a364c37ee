"""Reads SessionData 1.0, the normalised JSON that SpecStory's clients upload (specstory.md §7.1).

Lenient on purpose: the client uploads documents that its own validator warns about, so an unknown key is ignored, a
missing one is left out and a wrong type counts as missing. Only a document that is no SessionData at all is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from specloop.kit.json import JSONDecodeError, loads
from specloop.record.sessions.transcript.errors import Unparsable
from specloop.record.sessions.transcript.failures import is_failure
from specloop.record.sessions.transcript.model import NOTHING, Message, Part, Tool, Transcript, TranscriptExchange
from specloop.record.sessions.transcript.times import read_time
from specloop.record.sessions.transcript.usage import read_usage

_REPLACEMENT = "\ufffd"


def parse_session_data(data: bytes) -> Transcript:
    """The transcript in a SessionData document.

    Raises: Unparsable when the bytes are no JSON object with a list `exchanges` (redaction can break the JSON).
    """
    root = _read_object(data)
    if "exchanges" not in root:
        raise Unparsable("The session data names no exchanges.")
    provider = _mapping(root.get("provider"))
    return Transcript(
        session_id=_text(root.get("sessionId")),
        agent=_text(provider.get("name")),
        provider_id=_text(provider.get("id")),
        version=_text(root.get("schemaVersion")),
        created_at=read_time(root.get("createdAt")),
        updated_at=read_time(root.get("updatedAt")),
        workspace_root=_text(root.get("workspaceRoot")),
        slug=_text(root.get("slug")),
        title=_text(root.get("title")),
        exchanges=tuple(_read_exchange(each) for each in _mappings(root["exchanges"])),
    )


def _read_object(data: bytes) -> Mapping[str, Any]:
    try:
        root: object = loads(data)
    except JSONDecodeError as error:
        root = _read_damaged(data, error)
    if not isinstance(root, Mapping):
        raise Unparsable("The session data is no JSON object.")
    return cast("Mapping[str, Any]", root)


def _read_damaged(data: bytes, error: JSONDecodeError) -> object:
    """A second reading that mends what other languages' encoders let through: bad UTF-8 and lone surrogates."""
    try:
        loose: object = json.loads(data.decode("utf-8", "replace"))
        return loads(json.dumps(loose, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise Unparsable(f"The session data is no valid JSON: {_reason(error)}.") from None


def _reason(error: JSONDecodeError) -> str:
    return f"{error.msg.split(':')[0]} at line {error.lineno}, column {error.colno}"


def _read_exchange(source: Mapping[str, Any]) -> TranscriptExchange:
    return TranscriptExchange(
        key=_text(source.get("exchangeId")),
        started_at=read_time(source.get("startTime")),
        ended_at=read_time(source.get("endTime")),
        messages=tuple(_read_message(each) for each in _mappings(source.get("messages"))),
    )


def _read_message(source: Mapping[str, Any]) -> Message:
    tool = source.get("tool")
    return Message(
        id=_text(source.get("id")),
        role="user" if source.get("role") == "user" else "agent",
        timestamp=read_time(source.get("timestamp")),
        model=_text(source.get("model")),
        parts=tuple(_read_parts(source.get("content"))),
        tool=_read_tool(cast("Mapping[str, Any]", tool)) if isinstance(tool, Mapping) else None,
        path_hints=tuple(path for path in map(_text, _list(source.get("pathHints"))) if path),
        usage=read_usage(_mapping(source.get("usage"))),
        is_sidechain=_mapping(source.get("metadata")).get("isSidechain") is True,
    )


def _read_parts(content: object) -> Iterator[Part]:
    if isinstance(content, str):
        yield Part("text", _clean(content))
    for part in _mappings(content):
        text = part.get("text")
        if isinstance(text, str) and text:
            yield Part("thinking" if part.get("type") == "thinking" else "text", _clean(text))


def _read_tool(source: Mapping[str, Any]) -> Tool:
    output = source.get("output")
    known_output = cast("Mapping[str, Any]", output) if isinstance(output, Mapping) else None
    return Tool(
        name=_text(source.get("name")) or "unknown",
        kind=_text(source.get("type")) or "unknown",
        use_id=_text(source.get("useId")),
        input=_mapping(source.get("input")),
        output=known_output,
        summary=_text(source.get("summary")),
        formatted_markdown=_text(source.get("formattedMarkdown")),
        is_error=is_failure(known_output),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else NOTHING


def _list(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _mappings(value: object) -> Iterator[Mapping[str, Any]]:
    return (cast("Mapping[str, Any]", each) for each in _list(value) if isinstance(each, Mapping))


def _text(value: object) -> str | None:
    return _clean(value) or None if isinstance(value, str) else None


def _clean(text: str) -> str:
    """Text without NUL, which no text column stores."""
    return text.replace("\0", _REPLACEMENT) if "\0" in text else text
