"""JSON and JSON-lines files that another program is perhaps writing at this moment."""

from __future__ import annotations

import json as lenient_json
from codecs import BOM_UTF8
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any, cast

from specloop.kit import json
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import as_document
from specloop.record.sessions.importers.model import Document

_INT_END = 2**63


@dataclass(frozen=True, slots=True)
class JSONLines:
    """The objects of a file, its whole text, and how many lines were no object."""

    records: tuple[Document, ...]
    text: str
    skipped: int


def read_bytes(path: Path) -> bytes:
    """A whole file.

    Raises: UnreadableTranscript.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableTranscript(f"{path}: {error.strerror or error}") from error


def read_document(path: Path) -> tuple[Document, str]:
    """The object that a whole file is, and its text.

    Raises: UnreadableTranscript.
    """
    body = read_bytes(path)
    document = record_of(body)
    if document is None:
        raise UnreadableTranscript(f"{path} holds no JSON object")
    return document, body.decode("utf-8", "replace")


def read_lines(path: Path) -> JSONLines:
    """Every object of the file. A cut last line is left out silently, for its writer has not finished it.

    Raises: UnreadableTranscript.
    """
    body = read_bytes(path)
    lines = body.split(b"\n")
    unfinished = lines.pop()
    records = list[Document]()
    skipped = 0
    for line in lines:
        if not line.strip():
            continue
        record = record_of(line)
        if record:
            records.append(record)
        else:
            skipped += 1
    whole = body.decode("utf-8", "replace")
    if last := record_of(unfinished):
        records.append(last)
    elif unfinished.strip():
        whole = body[: len(body) - len(unfinished)].decode("utf-8", "replace")
    return JSONLines(tuple(records), whole, skipped)


def first_record(path: Path) -> Document:
    """The object of the first line; an empty one when it cannot be read."""
    try:
        with path.open("rb") as file:
            return record_of(file.readline()) or {}
    except OSError:
        return {}


def record_of(line: bytes) -> Document | None:
    """The object that some JSON is, half characters and strange numbers allowed; None where there is none."""
    line = line.removeprefix(BOM_UTF8)
    if not line.strip():
        return None
    try:
        return as_document(json.loads(line)) or None
    except json.JSONDecodeError:
        pass
    try:
        return as_document(_storable(lenient_json.loads(line.decode("utf-8", "replace"), strict=False))) or None
    except (ValueError, RecursionError):
        return None


def _storable(value: Any) -> Any:
    """What other programs write and strict readers refuse, as what comes closest: half of a character, a number that
    is none or is beyond 64 bits."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_storable(key): _storable(each) for key, each in cast(dict[str, Any], value).items()}
        case list():
            return [_storable(each) for each in cast(list[Any], value)]
        case int() if not -_INT_END <= value < _INT_END:
            return str(value)
        case float() if not isfinite(value):
            return None
        case _:
            return value
