"""Tells schemathesis what the types of the GraphQL schema cannot say: bounds of numbers, forms of texts.

The contract fixes those types (specstory.md §2.1), and schemathesis takes every refusal of data that fits them for a
fault. So arguments are brought into their bounds here; that they are refused outside is tested elsewhere. This runs in
the external suites' own environment.
"""

# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUntypedFunctionDecorator=false

from __future__ import annotations

import zlib
from typing import Any, Final

import schemathesis
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    StringValueNode,
    Visitor,
    visit,
)

NUMBERS: Final = {
    "limit": (0, 20),
    "first": (0, 20),
    "offset": (0, 10_000_000),
    "page": (1, 10_000_000),
    "days": (1, 3660),
    "createdAfter": (0, 36_600),
}
TEXTS: Final = {
    "orderBy": ("createdAt", "updatedAt", "startedAt", "endedAt", "name", "markdownSize"),
    "orderDirection": ("asc", "desc"),
    "after": ("YWZ0ZXI6MQ==",),
    "startDate": ("2026-01-01", "2026-01-01T10:00:00Z", "2026-01-01T10:00:00+02:00", ""),
    "endDate": ("2026-12-31", "2026-12-31T10:00:00", ""),
    "start": ("2026-01-01", "2025-06-01T00:00:00Z"),
    "end": ("2026-12-31", "2026-12-31T23:59:59.5Z"),
}
PARTNERS: Final = {"first": "limit", "after": "offset"}
"""Arguments that say the same: only one of each pair may be given."""


class InBounds(Visitor):
    """Rewrites arguments and fields of inputs."""

    def leave_argument(self, node: ArgumentNode, *_: Any) -> ArgumentNode:
        """One argument."""
        return ArgumentNode(name=node.name, value=fitting(node.name.value, node.value))

    def leave_object_field(self, node: ObjectFieldNode, *_: Any) -> ObjectFieldNode:
        """One field of an input."""
        return ObjectFieldNode(name=node.name, value=fitting(node.name.value, node.value))

    def leave_field(self, node: FieldNode, *_: Any) -> FieldNode:
        """All arguments of one field together."""
        given = {one.name.value: one for one in node.arguments or ()}
        kept = [one for name, one in given.items() if PARTNERS.get(name) not in given or not is_valid(name, one.value)]
        if node.name.value == "session" and all(
            isinstance(given[name].value, NullValueNode) for name in ("id", "sessionId") if name in given
        ):
            kept = [ArgumentNode(name=NameNode(value="id"), value=StringValueNode(value="0"))]
        return FieldNode(
            alias=node.alias,
            name=node.name,
            arguments=tuple(kept),
            directives=node.directives,
            selection_set=node.selection_set,
        )


def is_valid(name: str, value: Any) -> bool:
    """Whether the value is of the argument's type; what is wrong on purpose must stay as it is."""
    if name in NUMBERS and isinstance(value, IntValueNode):
        return -(2**31) <= int(value.value) < 2**31
    return isinstance(value, NullValueNode) or (name in TEXTS and isinstance(value, StringValueNode))


def fitting(name: str, value: Any) -> Any:
    """`value`, or one like it that the argument allows."""
    if isinstance(value, IntValueNode) and is_valid(name, value):
        lowest, highest = NUMBERS[name]
        return IntValueNode(value=str(lowest + int(value.value) % (highest - lowest + 1)))
    if isinstance(value, StringValueNode) and name in TEXTS:
        choices = TEXTS[name]
        return StringValueNode(value=choices[zlib.crc32(value.value.encode("utf-8", "replace")) % len(choices)])
    return value


@schemathesis.hook
def map_body(_context: Any, body: Any) -> Any:
    """Every generated query."""
    return visit(body, InBounds()) if isinstance(body, DocumentNode) else body
