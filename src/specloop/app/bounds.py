"""Bounds that hold for every value of the API and that the routes' own schemas therefore do not repeat.

Generators, fuzzers and gateways read them from the document: text is no longer than a body, integers fit 64 bits, lists
are finite, an id is a UUID.
"""

from __future__ import annotations

from typing import Any, cast

from specloop.transport.schema import shared_schemas

TEXT_LENGTH_MAX = 64 * 1024**2
ITEMS_MAX = 1_000_000
INTEGER_MAX = 2**63 - 1
ANY_TEXT = r"^[^\x00]*$"
_SHARED = {mark: schema["title"] for mark, schema in shared_schemas().items()}
_SAYS_MORE = frozenset({"enum", "const", "format", "pattern"})
_PARTS = ("items", "additionalProperties", "contains", "not")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")


def bound(schema: Any) -> None:
    """Write the general bounds into `schema` and everything below it, where it says nothing tighter."""
    if not isinstance(schema, dict):
        return
    node = cast("dict[str, Any]", schema)
    shared = _SHARED.get(node.get("format", ""))
    if shared is not None:
        node.clear()
        node["$ref"] = f"#/components/schemas/{shared}"
    kinds = node.get("type", ())
    for kind in (kinds,) if isinstance(kinds, str) else kinds:
        _bound_node(node, kind)
    for name in _PARTS:
        bound(node.get(name))
    for name in _LISTS:
        for part in node.get(name, ()):
            bound(part)
    for part in node.get("properties", {}).values():
        bound(part)


def _bound_node(node: dict[str, Any], kind: str) -> None:
    match kind:
        case "string":
            if "enum" not in node and "const" not in node:
                node.setdefault("maxLength", TEXT_LENGTH_MAX)
            if node.get("default") == "" and node.get("minLength", 0) > 0:
                del node["default"]  # an empty default only says that the member may be left out
            if not _SAYS_MORE & node.keys():
                node["pattern"] = ANY_TEXT
        case "integer":
            node.setdefault("format", "int64")
            if "exclusiveMinimum" not in node:
                node.setdefault("minimum", -INTEGER_MAX - 1)
            if "exclusiveMaximum" not in node:
                node.setdefault("maximum", INTEGER_MAX)
        case "array":
            node.setdefault("maxItems", ITEMS_MAX)
        case _:
            pass
