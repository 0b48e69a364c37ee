"""Differences between JSON documents as edits at JSON pointers (RFC 6901), and the way back. Pure.

`apply(diff(a, b), a) == b` for all JSON values. Lists are compared place by place.
"""

from __future__ import annotations

import copy
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import orjson

from specloop.run.agents.errors import EditFailed

Op = Literal["replace", "add", "remove"]
_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Edit:
    """One step of a JSON diff. `before` of an add and `after` of a remove mean nothing and are None."""

    pointer: str
    op: Op
    before: Any = None
    after: Any = None


def escape(token: str) -> str:
    """One reference token in its pointer form."""
    return token.replace("~", "~0").replace("/", "~1")


def split_pointer(pointer: str) -> list[str]:
    """The reference tokens of a pointer; none for the whole document.

    Raises: EditFailed when it is no JSON pointer.
    """
    if pointer == "":
        return []
    if not pointer.startswith("/"):
        raise EditFailed(f"'{pointer}' is no JSON pointer")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def is_same(left: Any, right: Any) -> bool:
    """Equality as JSON has it: true is not 1, while 1 and 1.0 are the same number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        a, b = cast(dict[str, Any], left), cast(dict[str, Any], right)
        return a.keys() == b.keys() and all(is_same(value, b[key]) for key, value in a.items())
    if isinstance(left, list) and isinstance(right, list):
        c, d = cast(list[Any], left), cast(list[Any], right)
        return len(c) == len(d) and all(map(is_same, c, d))
    return left == right


def diff(before: Any, after: Any, pointer: str = "") -> list[Edit]:
    """The edits that turn `before` into `after`, in an order in which they can be applied."""
    return list(_edits(before, after, pointer))


def _edits(before: Any, after: Any, at: str) -> Iterator[Edit]:
    if is_same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _object_edits(cast(dict[str, Any], before), cast(dict[str, Any], after), at)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _list_edits(cast(list[Any], before), cast(list[Any], after), at)
    else:
        yield Edit(at, "replace", before, after)


def _object_edits(before: dict[str, Any], after: dict[str, Any], at: str) -> Iterator[Edit]:
    for key in sorted(before.keys() | after.keys()):
        place = f"{at}/{escape(key)}"
        if key not in after:
            yield Edit(place, "remove", before=before[key])
        elif key not in before:
            yield Edit(place, "add", after=after[key])
        else:
            yield from _edits(before[key], after[key], place)


def _list_edits(before: list[Any], after: list[Any], at: str) -> Iterator[Edit]:
    shared = min(len(before), len(after))
    for index in range(shared):
        yield from _edits(before[index], after[index], f"{at}/{index}")
    for index in range(len(before) - 1, shared - 1, -1):
        yield Edit(f"{at}/{index}", "remove", before=before[index])
    for index in range(shared, len(after)):
        yield Edit(f"{at}/{index}", "add", after=after[index])


def apply(edits: Iterable[Edit], document: Any) -> Any:
    """A copy of `document` with the edits made in order; `before` values are not compared.

    Raises: EditFailed naming the pointer that leads nowhere.
    """
    result: Any = copy.deepcopy(document)
    for edit in edits:
        result = _apply_one(edit, result)
    return result


def apply_checked(edits: Iterable[Edit], document: Any) -> Any:
    """As `apply`, but a replace or remove must find the value it says it changes.

    Raises: EditFailed.
    """
    result: Any = copy.deepcopy(document)
    for edit in edits:
        if edit.op != "add" and edit.before is not None and not is_same(find(result, edit.pointer), edit.before):
            raise EditFailed(f"{edit.pointer}: the value has changed since the edit was made")
        result = _apply_one(edit, result)
    return result


def find(document: Any, pointer: str) -> Any:
    """The value at `pointer`.

    Raises: EditFailed when there is none.
    """
    value = document
    for token in split_pointer(pointer):
        value = _step(value, token, pointer)
    return value


def has(document: Any, pointer: str) -> bool:
    """Whether there is a value at `pointer`."""
    try:
        find(document, pointer)
    except EditFailed:
        return False
    return True


def _step(value: Any, token: str, pointer: str) -> Any:
    if isinstance(value, dict) and token in value:
        return cast(dict[str, Any], value)[token]
    if isinstance(value, list):
        items = cast(list[Any], value)
        return items[_index(token, len(items) - 1, pointer)]
    raise EditFailed(f"{pointer}: there is nothing at this place")


def _index(token: str, highest: int, pointer: str) -> int:
    if not _NUMBER.fullmatch(token) or int(token) > highest:
        raise EditFailed(f"{pointer}: there is nothing at this place")
    return int(token)


def _apply_one(edit: Edit, document: Any) -> Any:
    tokens = split_pointer(edit.pointer)
    after: Any = copy.deepcopy(edit.after)
    if not tokens:
        return after if edit.op != "remove" else None
    parent: Any = document
    for token in tokens[:-1]:
        parent = _step(parent, token, edit.pointer)
    if isinstance(parent, dict):
        _edit_object(cast(dict[str, Any], parent), tokens[-1], edit, after)
    elif isinstance(parent, list):
        _edit_list(cast(list[Any], parent), tokens[-1], edit, after)
    else:
        raise EditFailed(f"{edit.pointer}: there is nothing at this place")
    return document


def _edit_object(parent: dict[str, Any], key: str, edit: Edit, after: Any) -> None:
    if edit.op != "add" and key not in parent:
        raise EditFailed(f"{edit.pointer}: there is nothing at this place")
    if edit.op == "remove":
        del parent[key]
    else:
        parent[key] = after


def _edit_list(parent: list[Any], token: str, edit: Edit, after: Any) -> None:
    match edit.op:
        case "add":
            place = len(parent) if token == "-" else _index(token, len(parent), edit.pointer)  # noqa: S105
            parent.insert(place, after)
        case "replace":
            parent[_index(token, len(parent) - 1, edit.pointer)] = after
        case "remove":
            del parent[_index(token, len(parent) - 1, edit.pointer)]


def unified(before: str, after: str, name_before: str, name_after: str) -> str:
    """A unified text diff with three lines of context; empty when nothing changed."""
    lines = difflib.unified_diff(_lines(before), _lines(after), name_before, name_after, lineterm="")
    return "\n".join(lines)


def _lines(text: str) -> Sequence[str]:
    return text.splitlines()


def pretty(document: Any) -> str:
    """A document as indented JSON with sorted keys: the text that people compare."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode()
