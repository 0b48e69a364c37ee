"""Any value that a sender stores: JSON or text that holds JSON. Nothing here raises, whatever it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from specloop.kit import json

Members = Mapping[str, Any]

DEPTH_MAX = 64
"""JSON text that nests deeper stays text: nobody chats that way, and writing it again has its own limit."""
EMPTY: tuple[Any, ...] = (None, "", [], {})


def first(members: Members, *keys: str) -> Any:
    """The first of these members that holds something."""
    return next((members[key] for key in keys if members.get(key) not in EMPTY), None)


def items_of(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def members_of(value: Any) -> Members:
    return cast("Members", value) if isinstance(value, dict) else {}


def mapping_of(value: Any) -> Members:
    """The members of a mapping, also of one that is written as JSON text."""
    return members_of(value_of(value))


def value_of(value: Any) -> Any:
    """The JSON value that a text holds, if it holds an object or a list; else the value itself."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        found = json.loads(value)
    except json.JSONDecodeError:
        return value
    return found if _is_shallow(found) else value


def _is_shallow(value: Any) -> bool:
    level: list[Any] = [value]
    for _ in range(DEPTH_MAX):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return True
    return False


def _containers(value: Any) -> list[Any]:
    return [item for item in (*members_of(value).values(), *items_of(value)) if isinstance(item, (dict, list))]


def written(value: Any) -> str:
    return json.dumps(value).decode()
