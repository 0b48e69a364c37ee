"""Reading JSON that another program wrote and that may hold anything: a wrong type reads as nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

from specloop.kit import json
from specloop.kit.clock import format_time, parse_time
from specloop.record.sessions.importers.model import Document

_MILLISECONDS_FROM = 100_000_000_000
"""Epoch numbers from here on are milliseconds: as seconds they would lie in the year 5138."""


def text(document: Document, *names: str) -> str:
    """The first of these fields that is a text and not empty; else an empty text."""
    for name in names:
        value = document.get(name)
        if isinstance(value, str) and value:
            return value
    return ""


def child(document: Document, name: str) -> Document:
    """The object in a field; an empty one where there is none."""
    return as_document(document.get(name))


def as_document(value: Any) -> Document:
    """The value if it is an object, else an empty one."""
    return cast(Document, value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return cast(list[Any], value) if isinstance(value, list) else []


def children(document: Document, name: str) -> list[Document]:
    """The objects of the list in a field."""
    return [cast(Document, each) for each in as_list(document.get(name)) if isinstance(each, dict)]


def count(document: Document, name: str) -> int:
    """The whole number, never negative, in a field; else 0."""
    value = document.get(name)
    return max(int(value), 0) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def decoded(value: Any) -> Document:
    """Arguments of a tool: an object as it is or as JSON text; any other text as its `input`."""
    if isinstance(value, dict):
        return cast(Document, value)
    if not isinstance(value, str) or not value:
        return {}
    try:
        inner = json.loads(value)
    except json.JSONDecodeError:
        return {"input": value}
    return cast(Document, inner) if isinstance(inner, dict) else {"input": value}


def json_text(value: Any) -> str:
    """The value as JSON; an empty text for one that is nested more deeply than can be written."""
    try:
        return json.dumps(value).decode()
    except TypeError:
        return ""


def joined(blocks: Any, *kinds: str) -> str:
    """The text of a content field: a text as it is, or the texts of its blocks of these kinds, each a paragraph."""
    if isinstance(blocks, str):
        return blocks
    found = [as_document(block) for block in as_list(blocks)]
    return "\n\n".join(
        each for block in found if not kinds or block.get("type") in kinds if (each := text(block, "text"))
    )


def without(words: str, *tags: str) -> str:
    """The words without what a program wrapped in these tags and added to them."""
    for tag in tags:
        opening, closing = f"<{tag}>", f"</{tag}>"
        first, *rest = words.split(opening)
        words = first + "".join(part.partition(closing)[2] if closing in part else opening + part for part in rest)
    return words


def moment(value: Any) -> datetime | None:
    """A time written as RFC 3339, or as seconds or milliseconds since 1970."""
    try:
        if isinstance(value, str) and value:
            return parse_time(value) if not value.isdigit() else moment(int(value))
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def time_text(value: Any) -> str | None:
    """The same as RFC 3339 in UTC."""
    read = moment(value)
    return format_time(read) if read else None


def printable(words: str) -> str:
    """Text that may be written anywhere: what of a file's name is no character is shown by its number."""
    return words.encode("utf-8", "backslashreplace").decode()


def once(values: Iterable[str]) -> tuple[str, ...]:
    """The values that are not empty, each once, in order of appearance."""
    return tuple(dict.fromkeys(value for value in values if value))
