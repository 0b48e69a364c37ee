"""JSON-lines files that another program is perhaps writing at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from specloop.kit import json
from specloop.record.sessions.importers.errors import UnreadableTranscript
from specloop.record.sessions.importers.fields import as_document
from specloop.record.sessions.importers.model import Document


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
        record = _record(line)
        if record:
            records.append(record)
        else:
            skipped += 1
    whole = body.decode("utf-8", "replace")
    if last := _record(unfinished):
        records.append(last)
    elif unfinished.strip():
        whole = body[: len(body) - len(unfinished)].decode("utf-8", "replace")
    return JSONLines(tuple(records), whole, skipped)


def first_record(path: Path) -> Document:
    """The object of the first line; an empty one when it cannot be read."""
    try:
        with path.open("rb") as file:
            return _record(file.readline()) or {}
    except OSError:
        return {}


def _record(line: bytes) -> Document | None:
    if not line.strip():
        return None
    try:
        return as_document(json.loads(line)) or None
    except json.JSONDecodeError:
        pass
    try:  # half of a character, or a lone surrogate, is no reason to lose a line
        return as_document(json.loads(line.decode("utf-8", "replace"))) or None
    except json.JSONDecodeError:
        return None
