"""The config object of an agent: what it may hold, how its parts are bounded, and its hash. Pure.

The search space of an agent is its components: what the caller declared, else what the runtime declares, else what
the config itself shows.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from specloop.errors import ValidationFailed
from specloop.kit import json
from specloop.run.agents import edits as pointers
from specloop.run.agents.model import ComponentSpec
from specloop.run.runtime import Component

BYTES_MAX = 512 * 1024
DEPTH_MAX = 32
NUMBER_MAX = 2**53 - 1
BODY = ("body", "config")


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _ContextShape(_Shape):
    strategy: str | None = None
    top_k: Annotated[int, Field(ge=0, le=10_000)] | None = None
    max_chars: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    truncation: str | None = None


class _PromptShape(_Shape):
    base: str = ""
    cot: Literal["none", "brief", "full"] = "none"
    context: _ContextShape | None = None


class _ToolShape(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    description: str = ""
    enabled: bool = True


class _ConfigShape(_Shape):
    prompt: _PromptShape | None = None
    few_shot: list[Any] = []
    tools: list[_ToolShape] = []
    params: dict[str, Any] = {}
    model: str | dict[str, Any] | None = None
    variables: list[Any] = []


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: equal for configs that differ in the order of keys or in 1 against 1.0."""
    return json.canonical_hash(config)


def check_config(
    config: dict[str, Any],
    components: Sequence[ComponentSpec],
    *,
    is_closed: bool,
    loc: tuple[str, ...] = BODY,
) -> None:
    """Check every component's type and bounds in a config that has passed `check_document`.

    With `is_closed` the components are declared, so a member of `params` that none of them covers is unknown.
    Raises: ValidationFailed naming each place.
    """
    problems = list(_problems(config, components))
    if is_closed:
        problems += _unknown(config, components)
    if problems:
        _fail(loc, problems)


def check_document(config: dict[str, Any], loc: tuple[str, ...] = BODY) -> None:
    """Check a config before its search space is known: its JSON and its shape.

    Raises: ValidationFailed.
    """
    check_json(config, loc)
    check_shape(config, loc)


def check_json(document: Any, loc: tuple[str, ...] = BODY) -> None:
    """Check that a value has one canonical form that every store gives back unchanged.

    Raises: ValidationFailed for too deep or too large documents, NUL and lone surrogates, numbers beyond ±(2^53 - 1).
    """
    for pointer, depth, value in _walk(document):
        wrong = _wrong_leaf(value) if depth <= DEPTH_MAX else f"nested deeper than {DEPTH_MAX}"
        if wrong is not None:
            _fail(loc, [(pointer, wrong, "value_error")])
    if len(json.canonical(document)) > BYTES_MAX:
        _fail(loc, [("", f"larger than {BYTES_MAX} bytes", "too_long")])


def _walk(document: Any) -> Iterator[tuple[str, int, Any]]:
    """Every value and key with its place, without recursion: the document may be hostile."""
    stack: list[tuple[str, int, Any]] = [("", 0, document)]
    while stack:
        pointer, depth, value = stack.pop()
        yield pointer, depth, value
        if depth > DEPTH_MAX:
            return
        if isinstance(value, dict):
            for key, item in cast(dict[str, Any], value).items():
                yield pointer, depth, key
                stack.append((f"{pointer}/{pointers.escape(key)}", depth + 1, item))
        elif isinstance(value, list):
            items = cast(list[Any], value)
            stack.extend((f"{pointer}/{i}", depth + 1, item) for i, item in enumerate(items))


def _wrong_leaf(value: Any) -> str | None:
    if isinstance(value, str):
        if "\x00" in value:
            return "NUL characters are not allowed"
        return None if value.isascii() or _is_encodable(value) else "lone surrogates are not allowed"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        is_fine = not isinstance(value, float) or math.isfinite(value)
        return None if is_fine and abs(value) <= NUMBER_MAX else "numbers must be finite and within ±(2^53 - 1)"
    return None


def _is_encodable(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def check_shape(config: dict[str, Any], loc: tuple[str, ...] = BODY) -> None:
    """Check the members of the config object (spectral.md §1.1).

    Raises: ValidationFailed.
    """
    try:
        _ConfigShape.model_validate(config)
    except ValidationError as error:
        _fail(loc, [(_pointer(e["loc"]), e["msg"], e["type"]) for e in error.errors(include_url=False)])


def _pointer(loc: Iterable[str | int]) -> str:
    return "".join(f"/{pointers.escape(str(part))}" for part in loc)


def _problems(config: dict[str, Any], components: Sequence[ComponentSpec]) -> Iterator[tuple[str, str, str]]:
    for component in components:
        if not pointers.has(config, component.pointer):
            continue
        wrong = wrong_value(component, pointers.find(config, component.pointer))
        if wrong is not None:
            yield component.pointer, wrong, "out_of_bounds"


def _unknown(config: dict[str, Any], components: Sequence[ComponentSpec]) -> list[tuple[str, str, str]]:
    known = [component.pointer for component in components]
    problems: list[tuple[str, str, str]] = []
    params: dict[str, Any] = config.get("params") or {}
    for key in params:
        place = f"/params/{pointers.escape(key)}"
        if not any(p == place or place.startswith(f"{p}/") or p.startswith(f"{place}/") for p in known):
            problems.append((place, "unknown component", "unknown_component"))
    return problems


def wrong_value(component: ComponentSpec, value: Any) -> str | None:
    """What is wrong with `value` for a component, or None."""
    match component.type:
        case "text":
            return _wrong_text(component, value)
        case "number":
            return _wrong_number(component, value)
        case "enum":
            return None if value in component.choices else f"not one of {', '.join(component.choices)}"
        case "list<text>":
            if not isinstance(value, list):
                return "a list of texts is needed"
            texts = cast(list[Any], value)
            return _first([_too_many(component, len(texts)), *(_wrong_text(component, text) for text in texts)])
        case "map<text,number>":
            if not isinstance(value, dict):
                return "an object with numbers is needed"
            numbers = cast(dict[str, Any], value)
            return _first(
                [_too_many(component, len(numbers)), *(_wrong_number(component, n) for n in numbers.values())]
            )


def _first(found: Iterable[str | None]) -> str | None:
    return next((wrong for wrong in found if wrong is not None), None)


def _too_many(component: ComponentSpec, count: int) -> str | None:
    limit = component.max_entries
    return f"more than {limit} entries" if limit is not None and count > limit else None


def _wrong_text(component: ComponentSpec, value: Any) -> str | None:
    if not isinstance(value, str):
        return "a text is needed"
    limit = component.max_chars
    return f"longer than {limit} characters" if limit is not None and len(value) > limit else None


def _wrong_number(component: ComponentSpec, value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "a number is needed"
    low, high = component.minimum, component.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        return f"{value} is not between {low} and {high}"
    return None


def _fail(loc: tuple[str, ...], problems: Sequence[tuple[str, str, str]]) -> None:
    errors = [{"loc": [*loc, *pointers.split_pointer(p)], "msg": msg, "code": code} for p, msg, code in problems]
    pointer, msg, _ = problems[0]
    raise ValidationFailed(f"{'.'.join(loc)}{pointer}: {msg}", errors=errors)


def check_components(components: Sequence[ComponentSpec]) -> None:
    """Check a declared search space: names and pointers are unique, bounds make sense.

    Raises: ValidationFailed.
    """
    problems: list[tuple[str, str, str]] = []
    seen: set[str] = set()
    for index, one in enumerate(components):
        if one.name in seen or one.pointer in seen:
            problems.append((f"/{index}", "name or pointer is used twice", "duplicate"))
        seen |= {one.name, one.pointer}
        if one.minimum is not None and one.maximum is not None and one.minimum > one.maximum:
            problems.append((f"/{index}/bounds", "min is above max", "value_error"))
        if one.type == "enum" and not one.choices:
            problems.append((f"/{index}/bounds", "an enum needs choices", "value_error"))
    if problems:
        _fail(("body", "components"), problems)


def declared_by_runtime(components: Iterable[Component]) -> tuple[ComponentSpec, ...]:
    """A runtime's own components as ours; bounds that mean nothing for a type are left out."""
    specs: list[ComponentSpec] = []
    for one in components:
        is_numeric = one.type in ("number", "map<text,number>")
        specs.append(
            ComponentSpec(
                name=one.name,
                pointer=one.pointer,
                type=one.type,
                mutable=one.mutable,
                role=one.role,
                minimum=one.minimum if is_numeric else None,
                maximum=one.maximum if is_numeric else None,
                step=one.step if is_numeric else None,
                choices=one.choices,
                max_entries=one.max_entries if one.type in ("map<text,number>", "list<text>") else None,
                max_chars=one.max_chars if one.type in ("text", "list<text>") else None,
            )
        )
    return tuple(specs)


def shown_by_config(config: Mapping[str, Any]) -> tuple[ComponentSpec, ...]:
    """The components that a config shows by itself: its prompt, its tools' descriptions and its parameters."""
    found: list[ComponentSpec] = []
    prompt: Mapping[str, Any] = config.get("prompt") or {}
    if "base" in prompt:
        found.append(ComponentSpec("prompt", "/prompt/base", "text"))
    if "cot" in prompt:
        found.append(ComponentSpec("cot", "/prompt/cot", "enum", choices=("none", "brief", "full")))
    tools: Sequence[Mapping[str, Any]] = config.get("tools") or ()
    for index, tool in enumerate(tools):
        if tool.get("description"):
            found.append(ComponentSpec(f"tool:{index}", f"/tools/{index}/description", "text"))
    params: Mapping[str, Any] = config.get("params") or {}
    for key in sorted(params):
        spec = _shown_parameter(key, params[key])
        if spec is not None:
            found.append(spec)
    return tuple(found)


def _shown_parameter(key: str, value: Any) -> ComponentSpec | None:
    pointer = f"/params/{pointers.escape(key)}"
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return ComponentSpec(key, pointer, "number")
    if isinstance(value, str):
        return ComponentSpec(key, pointer, "text")
    if isinstance(value, list) and all(isinstance(item, str) for item in cast(list[Any], value)):
        return ComponentSpec(key, pointer, "list<text>")
    if isinstance(value, dict):
        numbers = cast(dict[str, Any], value).values()
        if all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
            return ComponentSpec(key, pointer, "map<text,number>")
    return None


def overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: objects are joined member by member, everything else is replaced."""
    result: dict[str, Any] = copy.deepcopy(dict(below))
    for key, value in above.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = overlay(cast(dict[str, Any], old), cast(dict[str, Any], value))
        else:
            result[key] = copy.deepcopy(value)
    return result
