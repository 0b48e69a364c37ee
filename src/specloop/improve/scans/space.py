"""The search space: reads and writes components of a config, hashes configs, and lists the edits between two.

gepa works on texts, so a candidate is a mapping from component name to the JSON text of its value. This file is the
only one that knows that form.
"""

import difflib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from specloop.improve.scans.problem import Edit
from specloop.kit.json import canonical_hash, dumps, loads
from specloop.run.runtime import Component, JsonObject


class ComponentName(str):
    """A component's name with the same hash in every process.

    gepa's merge walks a set of names and draws random numbers on the way, so Python's salted text hash would make
    equal seeds differ between runs.
    """

    __slots__ = ()

    def __hash__(self) -> int:
        return zlib.crc32(self.encode())


@dataclass(frozen=True, slots=True)
class Point:
    """One place in the space: component values by name, the full config they make, and its hash."""

    values: Mapping[str, Any]
    config: JsonObject
    config_hash: str


class Space:
    """The mutable components of one base config."""

    def __init__(self, base_config: JsonObject, components: tuple[Component, ...]) -> None:
        self.base_config = base_config
        self.components = {c.name: c for c in components if c.mutable}
        self._points: dict[tuple[str, ...], Point] = {}
        self.base = self.point(self.encode({n: resolve(base_config, c.pointer) for n, c in self.components.items()}))

    def encode(self, values: Mapping[str, Any]) -> dict[str, str]:
        """The gepa candidate for component values."""
        return texts_of({name: values[name] for name in self.components})

    def point(self, candidate: Mapping[str, str]) -> Point:
        """The config that a gepa candidate stands for. Equal candidates give the same object."""
        key = tuple(candidate[ComponentName(name)] for name in self.components)
        point = self._points.get(key)
        if point is None:
            values = {name: loads(text) for name, text in zip(self.components, key, strict=True)}
            config = self.base_config
            for name, component in self.components.items():
                config = replaced(config, component.pointer, values[name])
            point = Point(values, config, canonical_hash(config))
            self._points[key] = point
        return point

    def of_values(self, values: Mapping[str, Any]) -> Point:
        """The point with these component values."""
        return self.point(self.encode(values))

    def edits(self, before: Point, after: Point) -> tuple[Edit, ...]:
        """The changes from one point to another in component order: one per scalar, and one per map entry."""
        return tuple(
            edit
            for name, component in self.components.items()
            for edit in _component_edits(component, before.values[name], after.values[name])
        )

    def without(self, values: Mapping[str, Any], edits: tuple[Edit, ...]) -> dict[str, Any]:
        """Component values with some edits against the base taken back."""
        result = dict(values)
        for edit in edits:
            name, key = self.locate(edit.pointer)
            result[name] = edit.before if key is None else _with_entry(result[name], key, edit)
        return result

    def locate(self, pointer: str) -> tuple[str, str | None]:
        """Component name and, for a map entry, its key. Raises: LookupError if no component holds the pointer."""
        for name, component in self.components.items():
            if pointer == component.pointer:
                return name, None
            if pointer.startswith(component.pointer + "/"):
                return name, _unescape(pointer[len(component.pointer) + 1 :])
        raise LookupError(f"{pointer} is in no component")


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Component values as gepa holds them."""
    return {ComponentName(name): encode_value(value) for name, value in values.items()}


def encode_value(value: Any) -> str:
    """The JSON text of a component value; maps are in key order so that equal maps have equal texts."""
    if isinstance(value, dict):
        value = dict(sorted(cast("dict[str, Any]", value).items()))
    return dumps(value).decode()


def resolve(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901), or None if the path does not exist."""
    for token in pointer.split("/")[1:]:
        if isinstance(document, Mapping):
            document = cast("Mapping[str, Any]", document).get(_unescape(token))
        elif isinstance(document, list) and token.isdigit():
            document = dict(enumerate(cast("list[Any]", document))).get(int(token))
        else:
            return None
    return document


def replaced(document: Any, pointer: str, value: Any) -> Any:
    """A copy of `document` with the value at `pointer` replaced; parts that do not change are shared."""
    head, _, rest = pointer[1:].partition("/")
    new = value if not rest else replaced(resolve(document, f"/{head}"), f"/{rest}", value)
    if isinstance(document, list):
        items = list(cast("list[Any]", document))
        items[int(head)] = new
        return items
    return {**cast("Mapping[str, Any]", document or {}), _unescape(head): new}


def _component_edits(component: Component, before: Any, after: Any) -> Iterator[Edit]:
    if before == after:
        return
    if component.type == "map<text,number>":
        yield from _map_edits(component.pointer, before or {}, after or {})
    elif component.type == "text":
        yield Edit(component.pointer, "replace", before, after, diff=_text_diff(str(before or ""), str(after or "")))
    else:
        yield Edit(component.pointer, "add" if before is None else "replace", before, after)


def _map_edits(pointer: str, before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Edit]:
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old != new:
            op = "add" if old is None else "remove" if new is None else "replace"
            yield Edit(f"{pointer}/{_escape(key)}", op, old, new)


def _with_entry(entries: Mapping[str, float], key: str, edit: Edit) -> dict[str, float]:
    kept = {name: value for name, value in entries.items() if name != key}
    if edit.before is not None:
        kept[key] = edit.before
    return kept


def _text_diff(before: str, after: str) -> str:
    return "".join(difflib.unified_diff(before.splitlines(True), after.splitlines(True), "before", "after"))


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")
