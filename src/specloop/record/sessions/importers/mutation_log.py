"""Replays the log that VS Code writes of a document: its first state, then what was set, added, cut off or deleted."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, cast

from specloop.record.sessions.importers.fields import as_list, child
from specloop.record.sessions.importers.model import Document


class _Kind(IntEnum):
    INITIAL = 0
    SET = 1
    PUSH = 2
    DELETE = 3


def replayed(records: Iterable[Document]) -> Document:
    """The document after all changes; one that fits nowhere changes nothing."""
    state: Document = {}
    for record in records:
        path = as_list(record.get("k"))
        if record.get("kind") == _Kind.INITIAL:
            state = child(record, "v")
        elif path:
            _change(state, path, record)
    return state


def _change(state: Document, path: list[Any], record: Document) -> None:
    holder: Any = state
    for step in path[:-1]:
        holder = _at(holder, step)
    match record.get("kind"):
        case _Kind.SET:
            _put(holder, path[-1], record.get("v"))
        case _Kind.PUSH:
            _put(holder, path[-1], _grown(as_list(_at(holder, path[-1])), record))
        case _Kind.DELETE:
            _put(holder, path[-1], None)
        case _:
            return


def _grown(items: list[Any], record: Document) -> list[Any]:
    """The list, cut to the length `i` if there is one, with the new items."""
    length = record.get("i")
    if isinstance(length, int):
        del items[max(length, 0) :]
    items += as_list(record.get("v"))
    return items


def _at(holder: Any, step: Any) -> Any:
    if isinstance(holder, dict) and isinstance(step, str):
        return cast(Document, holder).get(step)
    items = as_list(holder)
    return items[step] if isinstance(step, int) and 0 <= step < len(items) else None


def _put(holder: Any, step: Any, value: Any) -> None:
    if isinstance(holder, dict) and isinstance(step, str):
        holder[step] = value
    elif isinstance(holder, list) and isinstance(step, int) and 0 <= step <= len(cast(list[Any], holder)):
        holder[step : step + 1] = [value]
